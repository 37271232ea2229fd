"""A property that is made at the first look, and kept."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

_T = TypeVar("_T")
_LOCK = "_lazy_lock"


class lazy(Generic[_T]):  # noqa: N801 — it is used as a decorator
    """As functools.cached_property, which in Python 3.11 has one lock for all objects of a class: a slow login to one
    cluster would keep every other cluster waiting. This has one lock for each object.
    """

    def __init__(self, make: Callable[[Any], _T]) -> None:
        self._make = make
        self._name = make.__name__
        self.__doc__ = make.__doc__

    @overload
    def __get__(self, owner: None, kind: type) -> lazy[_T]: ...
    @overload
    def __get__(self, owner: object, kind: type) -> _T: ...
    def __get__(self, owner: object | None, kind: type) -> lazy[_T] | _T:
        if owner is None:
            return self
        kept = owner.__dict__
        if self._name not in kept:
            with kept.setdefault(_LOCK, threading.RLock()):
                if self._name not in kept:
                    kept[self._name] = self._make(owner)
        value: _T = kept[self._name]
        return value
