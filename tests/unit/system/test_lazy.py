"""Made once for each object, whichever threads ask; one object's does not keep another's waiting."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from sohistio.system.lazy import lazy


class Slow:
    """Its value is there when somebody opens the gate."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.made = 0

    @lazy
    def value(self) -> int:
        """What it comes to."""
        self.made += 1
        assert self.gate.wait(20)
        return self.made

    @lazy
    def twice(self) -> int:
        return 2 * self.value


def test_an_object_waits_for_no_other() -> None:
    hanging, ready = Slow(), Slow()
    ready.gate.set()
    with ThreadPoolExecutor(2) as pool:
        late = pool.submit(lambda: hanging.twice)
        assert pool.submit(lambda: ready.twice).result(10) == 2
        hanging.gate.set()
        assert late.result(10) == 2


def test_it_is_made_once() -> None:
    slow = Slow()
    with ThreadPoolExecutor(4) as pool:
        found = [pool.submit(lambda: slow.value) for _ in range(4)]
        slow.gate.set()
        assert [future.result(10) for future in found] == [1, 1, 1, 1]
    assert slow.made == 1


def test_what_failed_is_tried_again() -> None:
    class Failing:
        tried = 0

        @lazy
        def value(self) -> int:
            self.tried += 1
            if self.tried == 1:
                raise OSError
            return self.tried

    failing = Failing()
    with pytest.raises(OSError, match=r"^$"):
        _ = failing.value
    assert failing.value == 2


def test_it_is_documented_on_the_class() -> None:
    assert Slow.value.__doc__ == "What it comes to."
