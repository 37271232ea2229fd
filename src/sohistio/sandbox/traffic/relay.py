"""Passes the bytes of one connection on, both ways, as a load balancer on layer 4 does."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable

from sohistio.sandbox.traffic.endpoints import Endpoint

_CONNECT_SECONDS = 5.0
_LINGER_NOT = struct.pack("ii", 1, 0)  # socket(7): on, and for no time


class _Side(asyncio.Protocol):
    """One end of a relayed connection: what arrives here leaves at the other."""

    def __init__(self, other: _Side | None = None) -> None:
        self.transport: asyncio.Transport | None = None
        self.other = other
        self.ended = False
        """Whether this end will send no more."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 (what TCP gives; narrows asyncio's loose type)  # nosec B101
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if target := self._target():
            target.write(data)

    def eof_received(self) -> bool:
        """Half closed: the other direction goes on, until it has ended too."""
        self.ended = True
        target = self._target()
        if target is None or (self.other is not None and self.other.ended):
            if target is not None:
                target.close()
            return False
        target.write_eof()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        if target := self._target():
            if exc is None:
                target.close()  # after what is still to be written
            else:
                target.abort()

    def pause_writing(self) -> None:
        if target := self._target():
            target.pause_reading()

    def resume_writing(self) -> None:
        if target := self._target():
            target.resume_reading()

    def _target(self) -> asyncio.Transport | None:
        transport = self.other.transport if self.other else None
        return None if transport is None or transport.is_closing() else transport


class Relay(_Side):
    """The client's end. `choose` gives the endpoint for this connection; without one, or where it refuses, the
    client's connection is reset.
    """

    def __init__(self, choose: Callable[[], Endpoint | None]) -> None:
        super().__init__()
        self._choose = choose
        self._connecting: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        assert self.transport is not None  # noqa: S101 (just set)  # nosec B101
        self.transport.pause_reading()
        self._connecting = asyncio.get_running_loop().create_task(self._connect(self.transport))

    async def _connect(self, client: asyncio.Transport) -> None:
        endpoint = self._choose()
        if endpoint is None:
            _reset(client)
            return
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                # It knows this end from the start: it may have ended before this task goes on.
                upstream, side = await asyncio.get_running_loop().create_connection(lambda: _Side(self), *endpoint)
        except (OSError, TimeoutError) as error:
            print(f"load balancer: {endpoint[0]}:{endpoint[1]}: {error!r}", flush=True)
            _reset(client)
            return
        self.other = side
        if client.is_closing():
            upstream.abort()
        elif upstream.is_closing():
            _reset(client)
        else:
            client.resume_reading()


def _reset(transport: asyncio.Transport) -> None:
    """Close with RST, as where nothing listens."""
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
    transport.abort()
