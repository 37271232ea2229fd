"""Work side by side, with an end: threads for requests that wait for somebody else's answer."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

# As many as an API server answers at once without throttling one client.
WORKERS = 8

_Item = TypeVar("_Item")
_Found = TypeVar("_Found")
_Late = TypeVar("_Late")


def workers(at_once: int = WORKERS) -> ThreadPoolExecutor:
    """A pool for work of different kinds."""
    return ThreadPoolExecutor(max_workers=at_once)


def side_by_side(
    work: Callable[[_Item], _Found],
    items: Iterable[_Item],
    *,
    interrupted: Callable[[], None] = lambda: None,
    at_once: int = WORKERS,
) -> list[_Found]:
    """The results in the order of the items.

    Raises what the first item that failed raised, once what was under way has ended; the rest is not begun.
    `interrupted` is called before that wait: it may end what is under way.
    """
    with workers(at_once) as pool:
        try:
            return list(pool.map(work, items))
        except BaseException:
            interrupted()
            raise


def begun(work: Callable[[], _Found]) -> Future[_Found]:
    """Work that goes on meanwhile; its result, or what it raised, is the future's. A daemon: if nobody asks for it, it
    does not keep the program from ending.
    """
    future: Future[_Found] = Future()

    def answer() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 — it is raised where the result is asked for
            future.set_exception(error)

    threading.Thread(target=answer, daemon=True).start()
    return future


def within(seconds: float, work: Callable[[], _Found], late: _Late) -> _Found | _Late:
    """The result, or `late` where it did not come within the seconds. As `in_time` has it."""
    return in_time({"": (work, seconds)}).get("", late)


def in_time(work: Mapping[str, tuple[Callable[[], _Found], float]]) -> dict[str, _Found]:
    """The results that came within the seconds of their own, by name; the others are missing.

    The work must not raise. One that hangs does not keep the program from ending: its thread is a daemon.
    """
    answers: queue.Queue[tuple[str, _Found]] = queue.Queue()
    begun = time.monotonic()

    def answer(name: str, make: Callable[[], _Found]) -> None:
        answers.put((name, make()))

    for name, (make, _) in work.items():
        threading.Thread(target=answer, args=(name, make), name=name, daemon=True).start()
    ends = {name: begun + seconds for name, (_, seconds) in work.items()}
    found: dict[str, _Found] = {}
    while waiting := [end for name, end in ends.items() if name not in found and end > time.monotonic()]:
        try:
            name, result = answers.get(timeout=max(0.0, max(waiting) - time.monotonic()))
        except queue.Empty:
            break
        if time.monotonic() <= ends[name]:
            found[name] = result
    return found
