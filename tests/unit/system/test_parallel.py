"""Work side by side: in order, with the first failure, and with an end for what hangs."""

from __future__ import annotations

import threading
import time

import pytest

from sohistio.system.parallel import WORKERS, begun, in_time, side_by_side


def test_results_come_in_the_order_of_the_items() -> None:
    together = threading.Barrier(WORKERS, timeout=10)

    def work(number: int) -> int:
        together.wait()  # none ends before all have begun
        time.sleep(0.01 * (WORKERS - number))
        return number * 2

    assert side_by_side(work, range(WORKERS)) == [number * 2 for number in range(WORKERS)]


def test_the_first_failure_is_raised_once_what_was_under_way_has_ended() -> None:
    ended: list[int] = []
    together = threading.Barrier(5, timeout=10)

    def work(number: int) -> None:
        together.wait()
        try:
            if number in (1, 3):
                raise ValueError(number)
        finally:
            ended.append(number)

    with pytest.raises(ValueError, match="1"):
        side_by_side(work, range(5))
    assert sorted(ended) == list(range(5))


def test_what_goes_on_meanwhile_answers_who_asks() -> None:
    go = threading.Event()
    assert not (future := begun(lambda: go.wait(20))).done()
    go.set()
    assert future.result(20)
    with pytest.raises(ZeroDivisionError):
        begun(lambda: 1 // 0).result(20)


def test_what_hangs_is_missing() -> None:
    over = threading.Event()
    found = in_time({"quick": (lambda: True, 10.0), "hangs": (lambda: over.wait(20), 0.2)})
    assert found == {"quick": True}
    over.set()


def test_an_answer_after_its_own_deadline_counts_for_nothing() -> None:
    def late() -> bool:
        time.sleep(0.5)
        return True

    assert in_time({"late": (late, 0.1), "patient": (late, 20.0)}) == {"patient": True}
