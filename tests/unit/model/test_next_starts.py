"""The window of a restart: what starts now, in which order, and why the rest waits."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

import pytest

from sohistio.model.pace import Pace
from sohistio.model.restart_window import Candidate, Next, Why, Window, next_starts
from sohistio.model.state import ObjectRef

UNPACED = Pace(1e9)


def deployment(name: str) -> ObjectRef:
    return ObjectRef("Deployment", "shop", name)


def pdb(name: str) -> ObjectRef:
    return ObjectRef("PodDisruptionBudget", "shop", name)


def candidate(name: str, *budgets: str, pods: int = 3, takes_down: int = 1) -> Candidate:
    return Candidate(deployment(name), pods, takes_down, frozenset(map(pdb, budgets)))


def window(
    *in_flight: Candidate,
    stuck: Sequence[Candidate] = (),
    rooms: Mapping[str, int] | None = None,
    parallel: int = 5,
    failures: int = 0,
) -> Window:
    return Window(in_flight, stuck, {pdb(name): room for name, room in (rooms or {}).items()}, parallel, failures, 2)


def names(found: Next) -> list[str]:
    return [item.ref.name for item in found.start]


def whys(found: Next) -> dict[str, Why]:
    return {wait.candidate.ref.name: wait.why for wait in found.waits}


A, B, C = candidate("a"), candidate("b"), candidate("c")
UNDER = candidate("x", "p")
TWIN = candidate("y", "p")


@pytest.mark.parametrize(
    ("queue", "now", "starts", "waits"),
    [
        pytest.param([A, B, C], window(), ["a", "b", "c"], {}, id="all-at-once"),
        pytest.param([B, A], window(parallel=1), ["b"], {"a": Why.PARALLEL}, id="in-the-order-of-the-list"),
        pytest.param([C], window(A, B, parallel=2), [], {"c": Why.PARALLEL}, id="full"),
        pytest.param([C], window(A, parallel=2), ["c"], {}, id="the-next-one-as-soon-as-one-is-done"),
        pytest.param(
            [UNDER, TWIN, A],
            window(rooms={"p": 1}, parallel=2),
            ["x", "a"],
            {"y": Why.NEIGHBOUR},
            id="one-of-a-budget-and-the-next-is-passed-over",
        ),
        pytest.param([TWIN], window(UNDER, rooms={"p": 5}), [], {"y": Why.NEIGHBOUR}, id="its-twin-is-in-flight"),
        pytest.param(
            [TWIN], window(stuck=[UNDER], rooms={"p": 1}), [], {"y": Why.STUCK}, id="its-twin-did-not-come-up"
        ),
        pytest.param([UNDER, A], window(rooms={"p": 0}), ["a"], {"x": Why.BUDGET}, id="no-room-now"),
        pytest.param([UNDER], window(), [], {"x": Why.BUDGET}, id="a-budget-whose-room-is-not-known"),
        pytest.param(
            [candidate("x", "p", takes_down=2)], window(rooms={"p": 1}), [], {"x": Why.BUDGET}, id="too-little-room"
        ),
        pytest.param(
            [candidate("x", "p", "q")], window(rooms={"p": 1, "q": 0}), [], {"x": Why.BUDGET}, id="one-budget-of-two"
        ),
        pytest.param([candidate("x", "p", takes_down=0)], window(rooms={"p": 0}), ["x"], {}, id="it-only-surges"),
        pytest.param(
            [candidate("x", "p", takes_down=0), candidate("y", "p", takes_down=0)],
            window(rooms={"p": 0}),
            ["x"],
            {"y": Why.NEIGHBOUR},
            id="two-that-surge-under-one-budget",
        ),
        pytest.param(
            [A, B], window(C, failures=2), [], {"a": Why.FAILURES, "b": Why.FAILURES}, id="the-failure-budget-is-spent"
        ),
        pytest.param([A], window(failures=1), ["a"], {}, id="one-failure-is-allowed"),
    ],
)
def test_what_starts_and_why_the_rest_waits(
    queue: list[Candidate], now: Window, starts: list[str], waits: dict[str, Why]
) -> None:
    found = next_starts(queue, now, UNPACED, 0.0)
    assert (names(found), whys(found)) == (starts, waits)


@pytest.mark.parametrize(("in_flight", "passed"), [((), True), ((C,), False)])
def test_a_turn_that_a_budget_took_is_told_from_one_that_has_not_come(
    in_flight: tuple[Candidate, ...], passed: bool
) -> None:
    """Its patience begins with its turn: what waits in the list for an hour must not have failed by then."""
    found = next_starts([UNDER], window(*in_flight, parallel=1, rooms={"p": 0}), UNPACED, 0.0)
    (wait,) = found.waits
    assert (wait.why, wait.passed) == (Why.BUDGET, passed)
    assert "PodDisruptionBudget shop/p lets 0 pods be away" in wait.said


def test_what_is_held_is_passed_over_with_its_reason() -> None:
    found = next_starts([A, B], window(parallel=1), UNPACED, 0.0, lambda ref: "closed" if ref.name == "a" else "")
    assert names(found) == ["b"]
    assert [(wait.why, wait.said) for wait in found.waits] == [(Why.HELD, "closed")]


def test_the_pace_lets_the_next_start_when_istiod_has_taken_the_last() -> None:
    """Ten proxies a second: 30 pods are taken after 3 s, and a second's worth may be outstanding."""
    big, small = candidate("big", pods=30), candidate("small", pods=1)
    first = next_starts([big, small], window(), Pace(10.0), 100.0)
    assert (names(first), whys(first)) == (["big"], {"small": Why.PACE})
    assert names(next_starts([small], window(), first.pace, 101.9)) == []
    assert names(next_starts([small], window(), first.pace, 102.0)) == ["small"]


def test_pace_that_was_not_used_is_not_saved_up() -> None:
    pace = next_starts([candidate("a", pods=30)], window(), Pace(10.0), 0.0).pace
    later = next_starts([candidate("b", pods=30), candidate("c", pods=1)], window(), pace, 3600.0)
    assert names(later) == ["b"]


def test_a_random_world_is_never_below_a_budget_and_ends() -> None:
    """Workloads under overlapping budgets; rooms come and go; every one gets its turn and none meets a neighbour."""
    chance = random.Random(7)  # noqa: S311 — the same world each time
    budgets = [f"p{number}" for number in range(12)]
    queue = [
        candidate(f"w{number:03}", *chance.sample(budgets, chance.randint(0, 2)), takes_down=chance.randint(0, 2))
        for number in range(150)
    ]
    in_flight: list[Candidate] = []
    for _ in range(5000):
        rooms = {name: chance.randint(0, 3) for name in budgets}
        found = next_starts(queue, window(*in_flight, rooms=rooms, parallel=7), UNPACED, 0.0)
        for started in found.start:
            assert all(rooms[budget.name] >= started.takes_down for budget in started.budgets)
        in_flight += found.start
        under = [budget for flying in in_flight for budget in flying.budgets]
        assert len(under) == len(set(under))
        assert len(in_flight) <= 7
        queue = [wait.candidate for wait in found.waits]
        in_flight = [flying for flying in in_flight if chance.random() < 0.6]
        if not queue:
            return
    raise AssertionError(f"{len(queue)} never started")
