"""What a watch says of Prometheus before, with and without an answer."""

from __future__ import annotations

import threading
from collections.abc import Callable

from sohistio.errors import FailedError
from sohistio.model.health import ServedRequests
from sohistio.run.traffic_looks import TrafficLooks

SERVED = ServedRequests(5.0, 0.2, 0.0)


def test_nobody_is_asked() -> None:
    with TrafficLooks(None) as looks:
        assert (looks.served, looks.trouble) == (None, "")


def test_before_the_first_answer_nothing_is_said_of_requests() -> None:
    asked, go_on, answered = threading.Event(), threading.Event(), threading.Event()

    def look() -> ServedRequests | None:
        asked.set()
        assert go_on.wait(20)
        answered.set()
        return SERVED

    with TrafficLooks(look) as looks:
        assert asked.wait(20)
        assert (looks.served, looks.trouble) == (None, "Prometheus has not answered yet")
        go_on.set()
        assert answered.wait(20)
        assert until(lambda: looks.trouble == "")
        assert looks.served == ServedRequests(5.0, 0.2, 0.2)


def test_it_has_no_requests_of_the_gateways() -> None:
    with TrafficLooks(lambda: None) as looks:
        assert until(lambda: looks.trouble == "Prometheus has no requests of these gateways")
        assert looks.served is None


def test_why_it_cannot_be_asked_is_said() -> None:
    def look() -> ServedRequests | None:
        raise FailedError("Prometheus does not answer", details=("connection refused",))

    with TrafficLooks(look) as looks:
        assert until(lambda: looks.trouble == "Prometheus does not answer: connection refused")


def until(holds: Callable[[], bool]) -> bool:
    """Whether it holds within 20 s."""
    pause = threading.Event()
    for _ in range(2000):
        if holds():
            return True
        pause.wait(0.01)
    return False
