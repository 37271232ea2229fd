"""Something that is asked for several times, and read once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from sohistio.errors import SohistioError

_T = TypeVar("_T")


class Once(Generic[_T]):
    """Something read at the first call, by whichever thread comes first; the others wait for it. Errors are kept."""

    def __init__(self, read: Callable[[], _T]) -> None:
        self._read = read
        self._lock = threading.Lock()
        self._done: Callable[[], _T] | None = None

    def __call__(self) -> _T:
        with self._lock:
            if self._done is None:
                try:
                    value = self._read()
                    self._done = lambda: value
                except SohistioError as error:
                    self._done = _raising(error)
        return self._done()


def _raising(error: SohistioError) -> Callable[[], Any]:
    def again() -> Any:
        raise error

    return again
