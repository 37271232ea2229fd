"""Passes the bytes of one connection on, both ways, as a load balancer on layer 4 does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from sohistio.sandbox.traffic.endpoints import Endpoint

_CONNECT_SECONDS = 5.0


class _Side(asyncio.Protocol):
    """One end of a relayed connection: what arrives here leaves at the peer."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.peer: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 (what TCP gives; narrows asyncio's loose type)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if self.peer is not None:
            self.peer.write(data)

    def eof_received(self) -> bool:
        if self.peer is not None and self.peer.can_write_eof() and not self.peer.is_closing():
            self.peer.write_eof()
        return True  # the other direction stays open

    def connection_lost(self, exc: Exception | None) -> None:
        if self.peer is None:
            return
        if exc is None:
            self.peer.close()  # after what is still to be written
        else:
            self.peer.abort()

    def pause_writing(self) -> None:
        if self.peer is not None and not self.peer.is_closing():
            self.peer.pause_reading()

    def resume_writing(self) -> None:
        if self.peer is not None and not self.peer.is_closing():
            self.peer.resume_reading()


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
        assert self.transport is not None  # noqa: S101 (just set)
        self.transport.pause_reading()
        self._connecting = asyncio.get_running_loop().create_task(self._connect(self.transport))

    async def _connect(self, client: asyncio.Transport) -> None:
        endpoint = self._choose()
        if endpoint is None:
            client.abort()
            return
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                upstream, side = await asyncio.get_running_loop().create_connection(_Side, *endpoint)
        except (OSError, TimeoutError) as error:
            print(f"load balancer: {endpoint[0]}:{endpoint[1]}: {error!r}", flush=True)
            client.abort()
            return
        if client.is_closing():
            upstream.abort()
            return
        side.peer, self.peer = client, upstream
        client.resume_reading()
