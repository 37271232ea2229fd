"""Relayed connections end when their ends do, whichever ends first."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable

import pytest

from sohistio.sandbox.traffic.relay import Relay

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
PLACE = "127.243.255.2"
_SECONDS = 5


async def through_a_relay(serve: Serve | None, sent: bytes, times: int = 1) -> list[bytes]:
    """What a client reads that sends this and half closes; `serve` is what listens behind the relay, if anything."""
    loop = asyncio.get_running_loop()
    behind = await asyncio.start_server(serve, PLACE, 0) if serve else None
    port = behind.sockets[0].getsockname()[1] if behind else 1
    front = await loop.create_server(lambda: Relay(lambda: (PLACE, port)), PLACE, 0)

    async def one() -> bytes:
        reader, writer = await asyncio.open_connection(PLACE, front.sockets[0].getsockname()[1])
        try:
            if sent:
                writer.write(sent)
                writer.write_eof()
            return await asyncio.wait_for(reader.read(), _SECONDS)
        except ConnectionError:
            return b"reset"
        finally:
            writer.close()

    try:
        return list(await asyncio.gather(*(one() for _ in range(times))))
    finally:
        await asyncio.sleep(0.1)  # both ends notice
        for server in (front, behind):
            if server:
                server.close()


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers after the client has ended, as half closed connections allow."""
    whole = await reader.read()
    writer.write(whole[::-1])
    writer.close()


async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 speaks first")
    writer.close()


async def break_off(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@pytest.mark.parametrize(
    ("serve", "sent", "read"),
    [
        (echo, b"abc", {b"cba"}),
        (echo, b"x" * 3_000_000, {b"x" * 3_000_000}),
        (greet, b"", {b"220 speaks first"}),
        (break_off, b"", {b"", b"reset"}),
        (break_off, b"abc", {b"", b"reset"}),
        (None, b"abc", {b"reset"}),
    ],
    ids=["half closed", "much", "server first", "broken off", "broken off while sending", "nothing listens"],
)
def test_what_a_client_reads(serve: Serve | None, sent: bytes, read: set[bytes]) -> None:
    times = 2 if len(sent) > 1000 else 20
    assert set(asyncio.run(through_a_relay(serve, sent, times))) <= read
