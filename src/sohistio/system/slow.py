"""What a person hears of something that takes longer than anybody waits in silence."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_SILENCE_SECONDS = 2.0


@contextmanager
def when_slow(tell: Callable[[], None]) -> Iterator[None]:
    """Call `tell`, once and from another thread, where what is done within takes more than two seconds."""
    timer = threading.Timer(_SILENCE_SECONDS, tell)
    timer.daemon = True  # at the end of the program nobody listens any more
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
