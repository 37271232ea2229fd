"""The first good answer by name is measured when clients have it, whatever the run waits for."""

from __future__ import annotations

import threading
import time

from sohistio.errors import RefusedError
from sohistio.run.first_answer import FirstAnswer


def test_the_first_that_is_good_counts_once() -> None:
    good, heard, done = threading.Event(), list[float](), threading.Event()

    def answered() -> None:
        heard.append(time.monotonic())
        done.set()

    def silent() -> bool:
        raise RefusedError("no answer")

    asked = FirstAnswer()
    asked.begin([silent, good.is_set, good.is_set], answered, 30)
    time.sleep(0.1)
    assert heard == []
    at = time.monotonic()
    good.set()
    assert done.wait(5)
    assert heard[0] - at < 1
    asked.begin([good.is_set], answered, 30)
    asked.end()
    time.sleep(0.4)
    assert len(heard) == 1


def test_what_comes_after_the_end_does_not_count() -> None:
    begun, go_on, heard = threading.Event(), threading.Event(), list[str]()

    def question() -> bool:
        begun.set()
        return go_on.wait(5)

    asked = FirstAnswer()
    asked.begin([question], lambda: heard.append("answered"), 30)
    assert begun.wait(5)
    asked.end()
    go_on.set()
    time.sleep(0.2)
    assert heard == []
