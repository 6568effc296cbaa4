"""A real SMTP server (aiosmtpd) that keeps what it takes and misbehaves when it is told to.

server.py FOLDER [--port N] [--tls starttls|smtps CERT KEY] [--user NAME PASSWORD | --no-login]
          [--at STEP ACT [TIMES]]

It prints its port. What it takes is appended to FOLDER/taken as JSON lines; each command it hears, but
for logins, to FOLDER/heard. STEP is connect, ehlo, starttls, auth, mail, rcpt, data, content or rset;
ACT is a code to answer with, `cut`, `hang`, `drip` (a byte now and then, for ever), `endless` (a line
that never ends, as fast as it is read), or for content
`taken-cut` (kept, and cut before the answer). It ends when its standard input does.
"""

import argparse
import asyncio
import json
import ssl
import sys
from pathlib import Path

from aiosmtpd.smtp import SMTP, AuthResult

parser = argparse.ArgumentParser()
parser.add_argument("folder", type=Path)
parser.add_argument("--tls", nargs=3)
parser.add_argument("--user", nargs=2)
parser.add_argument("--no-login", action="store_true")
parser.add_argument("--port", type=int, default=0)
parser.add_argument("--at", nargs="+", default=[])
asked = parser.parse_args()
step, act = (asked.at[:2] or ["", ""])
times = int(asked.at[2]) if len(asked.at) > 2 else 1_000_000


def misbehaves(here):
    global times
    if here != step or times <= 0:
        return False
    times -= 1
    return True


async def babbles(transport):
    """Says a line that never ends."""
    while not transport.is_closing():
        if act == "drip":
            transport.write(b"2")
            await asyncio.sleep(0.2)
        else:
            transport.write(b"x" * 65536)
            # Another turn for the loop: what was cut is known then.
            await asyncio.sleep(0.001)
    await asyncio.sleep(3600)


class Handler:
    async def handle_DATA(self, server, session, envelope):
        letter = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "data": envelope.original_content.decode("ascii", "replace"),
            "encrypted": session.ssl is not None or asked.tls and asked.tls[0] == "smtps",
            "authenticated": session.authenticated,
        }
        wrong = misbehaves("content")
        if not wrong or act == "taken-cut":
            with open(asked.folder / "taken", "a") as file:
                file.write(json.dumps(letter) + "\n")
            # One byte for each, so that counting them reads nothing.
            with open(asked.folder / "count", "a") as file:
                file.write(".")
        if not wrong:
            return "250 taken"
        if act in ("cut", "taken-cut"):
            server.transport.abort()
            await asyncio.sleep(3600)
        if act == "hang":
            await asyncio.sleep(3600)
        if act in ("drip", "endless"):
            await babbles(server.transport)
        return f"{act} no <{envelope.rcpt_tos[0]}>"


class Server(SMTP):
    async def _handle_client(self):
        if misbehaves("connect"):
            if act == "cut":
                self.transport.abort()
                return
            if act == "hang":
                await asyncio.sleep(3600)
            if act in ("drip", "endless"):
                await babbles(self.transport)
            await self.push(f"{act} not now")
            self.transport.close()
            return
        await super()._handle_client()

    async def wrong(self, here, words):
        with open(asked.folder / "heard", "a") as file:
            file.write(here + "\n")
        if not misbehaves(here):
            return False
        if act == "cut":
            self.transport.abort()
            await asyncio.sleep(3600)
        if act == "hang":
            await asyncio.sleep(3600)
        if act in ("drip", "endless"):
            await babbles(self.transport)
        await self.push(f"{act} no {words}")
        if act == "421":
            self.transport.close()
        return True

    async def smtp_EHLO(self, words):
        if not await self.wrong("ehlo", words):
            await super().smtp_EHLO(words)

    async def smtp_STARTTLS(self, words):
        if not await self.wrong("starttls", words):
            await super().smtp_STARTTLS(words)

    async def smtp_AUTH(self, words):
        if not await self.wrong("auth", ""):
            await super().smtp_AUTH(words)

    async def smtp_MAIL(self, words):
        if not await self.wrong("mail", words):
            await super().smtp_MAIL(words)

    async def smtp_RCPT(self, words):
        if not await self.wrong("rcpt", words):
            await super().smtp_RCPT(words)

    async def smtp_DATA(self, words):
        if not await self.wrong("data", words):
            await super().smtp_DATA(words)

    async def smtp_RSET(self, words):
        if not await self.wrong("rset", words):
            await super().smtp_RSET(words)


def authenticate(server, session, envelope, mechanism, data):
    wanted = [word.encode() for word in asked.user]
    return AuthResult(success=[data.login, data.password] == wanted, handled=False)


async def main():
    context = None
    if asked.tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(asked.tls[1], asked.tls[2])
    loop = asyncio.get_running_loop()

    def serve():
        return Server(
            Handler(),
            hostname="localhost",
            tls_context=context if asked.tls and asked.tls[0] == "starttls" else None,
            authenticator=authenticate if asked.user else None,
            auth_require_tls=False,
            auth_required=bool(asked.user),
            auth_exclude_mechanism=["PLAIN", "LOGIN"] if asked.no_login else None,
            enable_SMTPUTF8=False,
            loop=loop,
        )

    wrapped = context if asked.tls and asked.tls[0] == "smtps" else None
    server = await loop.create_server(serve, "127.0.0.1", asked.port, ssl=wrapped)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


try:
    asyncio.run(main())
finally:
    # What hangs would keep the process.
    import os

    os._exit(0)
