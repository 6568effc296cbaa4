"""Says what happens in a place, and what it missed while it was away.

    python3 follow.py nats://127.0.0.1:4222 halle

Needs nats-py. With a number after the place it ends after so many events.
"""

import asyncio
import json
import sys

import nats
from nats.errors import TimeoutError


async def follow(servers, place, most):
    connection = await nats.connect(servers.split(","))
    # The servers remember under this name how far it got: give each program its own.
    events = await connection.jetstream().pull_subscribe(
        f"raccord.{place}.events.>", durable=f"python-{place}", stream="raccord-events"
    )
    told = 0
    while told < most:
        try:
            messages = await events.fetch(100, timeout=5)
        except TimeoutError:
            continue
        for message in messages:
            event = json.loads(message.data)
            _, _, _, entity, verb = message.subject.split(".")
            print(f"{entity} {verb}: {event['data'].get('title', event['subject'])}", flush=True)
            # From here on it counts as told; an event that came twice has the same event["id"].
            await message.ack()
            told += 1
    await connection.close()


if __name__ == "__main__":
    most = float(sys.argv[3]) if len(sys.argv) > 3 else float("inf")
    asyncio.run(follow(sys.argv[1], sys.argv[2], most))
