"""A way to the API server that takes a while: a relay on loopback that hands everything on half a round trip later."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import yaml

_CHUNK = 1 << 16


@contextmanager
def delayed(kubeconfig: Path, folder: Path, round_trip: float) -> Iterator[Path]:
    """A kubeconfig whose server answers so many seconds later; TLS passes through, certificates and all."""
    document = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
    cluster = document["clusters"][0]["cluster"]
    server = urlsplit(cluster["server"])
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    relay = asyncio.run_coroutine_threadsafe(_relay(server.hostname or "", server.port or 443, round_trip / 2), loop)
    listening = relay.result(timeout=10)
    cluster["server"] = f"https://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    path = folder / f"delayed-{round_trip * 1000:.0f}"
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    try:
        yield path
    finally:
        asyncio.run_coroutine_threadsafe(_end(listening), loop).result(timeout=10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _relay(host: str, port: int, one_way: float) -> asyncio.Server:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.CancelledError):
            # A connection costs a round trip before its first byte can be sent.
            await asyncio.sleep(one_way * 2)
            upstream_reader, upstream_writer = await asyncio.open_connection(host, port)
            await asyncio.gather(_hand_on(reader, upstream_writer, one_way), _hand_on(upstream_reader, writer, one_way))

    return await asyncio.start_server(handle, "127.0.0.1", 0)


async def _hand_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, one_way: float) -> None:
    """Each piece as long after it came, however many are on their way."""
    loop = asyncio.get_running_loop()
    on_the_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def receive() -> None:
        while True:
            data = await reader.read(_CHUNK)
            await on_the_way.put((loop.time() + one_way, data))
            if not data:
                return

    receiving = asyncio.create_task(receive())
    try:
        while True:
            due, data = await on_the_way.get()
            if (left := due - loop.time()) > 0:
                await asyncio.sleep(left)
            if not data:
                return
            writer.write(data)
            await writer.drain()
    finally:
        receiving.cancel()
        writer.close()


async def _end(server: asyncio.Server) -> None:
    server.close()
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
