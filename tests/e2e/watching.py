"""Looking at a cluster all the time while something else goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

_Seen = TypeVar("_Seen")


@contextmanager
def watching(look: Callable[[], _Seen]) -> Iterator[list[_Seen]]:
    """What each look found, ten a second, until the block ends."""
    seen: list[_Seen] = []
    over = threading.Event()

    def look_on() -> None:
        while not over.wait(0.1):
            seen.append(look())

    thread = threading.Thread(target=look_on)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()
