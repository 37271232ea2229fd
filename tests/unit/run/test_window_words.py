"""What people read of restarts under way, and of those that were not made."""

from __future__ import annotations

import pytest

from sohistio.model.restart_window import Candidate, Wait, Why
from sohistio.model.state import ObjectRef
from sohistio.run.window_words import figures, not_started


def wait(name: str, why: Why, said: str = "") -> Wait:
    return Wait(Candidate(ObjectRef("Deployment", "shop", name), 2, 1), why, said)


@pytest.mark.parametrize(
    ("done", "flying", "failed", "waits", "line"),
    [
        (0, 2, 0, [], "0 of 9 done, 2 in flight"),
        (3, 2, 1, [wait("a", Why.PARALLEL)], "3 of 9 done, 2 in flight, 1 did not come up, 1 to go"),
        (
            5,
            0,
            0,
            [wait("a", Why.BUDGET), wait("b", Why.NEIGHBOUR), wait("c", Why.NEIGHBOUR), wait("d", Why.PACE)],
            "5 of 9 done, 0 in flight, 4 to go (1 for room in a disruption budget; "
            "2 for another workload under the same budget; 1 for istiod to take the new proxies)",
        ),
        (7, 0, 0, [wait("a", Why.HELD), wait("b", Why.HELD)], "7 of 9 done, 0 in flight, 2 to go (2 held)"),
    ],
)
def test_how_a_list_stands(done: int, flying: int, failed: int, waits: list[Wait], line: str) -> None:
    assert figures(9, done, flying, failed, waits) == line


def test_each_reason_is_said_once_with_its_workloads() -> None:
    rest = [
        wait("a", Why.HELD, "closed until 02:00"),
        wait("b", Why.STUCK, "x"),
        wait("c", Why.HELD, "closed until 02:00"),
    ]
    assert not_started(rest, (Why.HELD,)) == ["not restarted, closed until 02:00: Deployment shop/a, Deployment shop/c"]
