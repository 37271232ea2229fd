"""In which state an environment is, in a word, and how many are in which. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from enum import IntEnum, StrEnum

from sohistio.fleet.row import EnvironmentStatus, Trouble
from sohistio.model.mode import Mode
from sohistio.model.words import counted


class Level(IntEnum):
    """How much it asks for somebody; never shown by colour alone."""

    PLAIN = 0
    GOOD = 1
    ATTENTION = 2
    BAD = 3


class State(StrEnum):
    """The best first. The values are those of the JSON."""

    IN_SYNC = "inSync"
    DUE = "due"
    """The mesh is in sync, but something beside it is to be done: restarts, policy, a record."""
    DRIFT = "drift"
    """The version is right, and the cluster differs from the environment's manifest."""
    UPGRADE = "upgrade"
    REINSTALL = "reinstall"
    NO_MESH = "noMesh"
    REFUSED = "refused"
    """A run would be refused."""
    NOT_READ = "notRead"
    UNREACHABLE = "unreachable"
    INVALID = "invalid"

    @property
    def words(self) -> str:
        """As people read it."""
        return _WORDS.get(self, self.value)

    @property
    def level(self) -> Level:
        """How much it asks for somebody."""
        if self is State.IN_SYNC:
            return Level.GOOD
        return Level.BAD if self in _BAD else Level.ATTENTION

    @property
    def rank(self) -> int:
        """0 for the best."""
        return list(State).index(self)


_WORDS = {
    State.IN_SYNC: "in sync",
    State.DUE: "work due",
    State.NO_MESH: "no mesh",
    State.NOT_READ: "not read",
}
_BAD = frozenset({State.REFUSED, State.NOT_READ, State.UNREACHABLE, State.INVALID})
_OF_TROUBLE = {
    Trouble.INVALID: State.INVALID,
    Trouble.UNREACHABLE: State.UNREACHABLE,
    Trouble.UNREAD: State.NOT_READ,
}
_OF_MODE = {Mode.INSTALL: State.NO_MESH, Mode.UPGRADE: State.UPGRADE, Mode.REINSTALL: State.REINSTALL}


def state_of(row: EnvironmentStatus) -> State:
    """The state of an environment."""
    if row.trouble is not Trouble.NONE:
        return _OF_TROUBLE[row.trouble]
    if row.refused:
        return State.REFUSED
    if row.mode == Mode.REINSTALL and row.installed == row.target:
        return State.DRIFT
    return _OF_MODE.get(Mode.of(row.mode), State.DUE if row.pending else State.IN_SYNC)


def summary(rows: Sequence[EnvironmentStatus]) -> str:
    """`5 environments: 3 in sync, 1 drift, 1 unreachable`."""
    counts = Counter(map(state_of, rows))
    parts = ", ".join(f"{counts[state]} {state.words}" for state in State if counts[state])
    return f"{counted(len(rows), 'environment')}: {parts}" if rows else "no environments"
