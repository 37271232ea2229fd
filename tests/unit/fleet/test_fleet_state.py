"""The state of an environment in a word, and how many are in which."""

from __future__ import annotations

from dataclasses import replace

import pytest

import fleet
from sohistio.fleet.row import EnvironmentStatus, Trouble
from sohistio.fleet.state import Level, State, state_of, summary

DEV = fleet.in_sync("dev")


@pytest.mark.parametrize(
    ("row", "state"),
    [
        (DEV, State.IN_SYNC),
        (replace(DEV, pending="restarts and policy"), State.DUE),
        (fleet.drifted("qa"), State.DRIFT),
        (fleet.behind("qa"), State.UPGRADE),
        (replace(fleet.behind("qa"), mode="reinstall"), State.REINSTALL),
        (replace(DEV, installed="", mode="reinstall", pending="reinstall"), State.REINSTALL),
        (fleet.empty("qa"), State.NO_MESH),
        (replace(fleet.behind("qa"), refused=True, pending="two minors ahead"), State.REFUSED),
        (replace(fleet.behind("qa"), mode="unknown", refused=True), State.REFUSED),
        (fleet.away("qa"), State.UNREACHABLE),
        (fleet.invalid("qa"), State.INVALID),
        (replace(DEV, trouble=Trouble.UNREAD, problem="forbidden"), State.NOT_READ),
    ],
    ids=lambda value: value.name if isinstance(value, State) else "",
)
def test_a_state(row: EnvironmentStatus, state: State) -> None:
    assert state_of(row) is state


def test_every_state_has_words_and_a_level() -> None:
    assert len({state.words for state in State}) == len(State)
    assert {state for state in State if state.level is Level.GOOD} == {State.IN_SYNC}
    assert [state.rank for state in State] == list(range(len(State)))


def test_a_summary() -> None:
    assert summary(fleet.fleet()) == (
        "7 environments: 2 in sync, 1 drift, 1 upgrade, 1 no mesh, 1 unreachable, 1 invalid"
    )
    assert summary([DEV]) == "1 environment: 1 in sync"
    assert summary([]) == "no environments"
