// Says what happens in a place, and what it missed while it was away:
//
//     node follow.mjs nats://127.0.0.1:4222 halle
//
// Needs `npm install` in this folder. With a number after the place it ends after so many events.

import { AckPolicy, jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";

const [servers, place, most = Infinity] = process.argv.slice(2);
const connection = await connect({ servers: servers.split(",") });

// The servers remember under this name how far it got: give each program its own.
const name = `javascript-${place}`;
const manager = await jetstreamManager(connection);
await manager.consumers.add("raccord-events", {
  durable_name: name,
  ack_policy: AckPolicy.Explicit,
  filter_subject: `raccord.${place}.events.>`,
});

const consumer = await jetstream(connection).consumers.get("raccord-events", name);
let told = 0;
for await (const message of await consumer.consume()) {
  const event = message.json();
  const [, , , entity, verb] = message.subject.split(".");
  console.log(`${entity} ${verb}: ${event.data.title ?? event.subject}`);
  // From here on it counts as told; an event that came twice has the same event.id.
  await message.ackAck();
  told += 1;
  if (told >= most) break;
}
await connection.close();
