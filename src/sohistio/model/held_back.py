"""Workloads that need a restart and get none now: why, and what is said of them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sohistio.model.state import ObjectRef
from sohistio.model.words import counted, cut, first_names

_MOST_NAMED = 10
_MOST_OF_A_TEXT = 120


class Why(StrEnum):
    """What holds a workload back, in a word for machines."""

    WINDOW = "window"
    FREEZE = "freeze"
    OPT_OUT = "optOut"
    ANNOTATION = "annotation"
    """Somebody's annotation cannot be read."""
    INJECTION = "injection"
    """It asks for its sidecar by itself, and restarts.alsoInjected is false."""
    LIMIT = "limit"
    CANARY = "canary"
    """What is restarted before it has not come up since its restart."""


_TODO = {
    Why.WINDOW: "`sohistio restart` takes it once its window is open.",
    Why.FREEZE: "`sohistio restart` takes it once its window is open.",
    Why.OPT_OUT: "Its people restart it when it suits them.",
    Why.ANNOTATION: "Correct it or remove it: docs/restarts.md lists what may be written.",
    Why.INJECTION: "Restart it yourself when it suits.",
    Why.CANARY: "Bring the canary up, or take it out of the canary; then run `sohistio restart`.",
    Why.LIMIT: "`sohistio restart` with a larger --limit, or none, takes it.",
}


@dataclass(frozen=True, slots=True)
class HeldBack:
    """`reason` goes on after the workload's name and a colon; it holds `text`, which somebody gave as the reason of a
    freeze or an opt-out, at whatever length. `opens` is from when it may be restarted, ISO 8601 in UTC; empty where no
    time alone changes that.
    """

    ref: ObjectRef
    why: Why
    reason: str
    opens: str = ""
    text: str = ""

    @property
    def words(self) -> str:
        """The reason for people: what somebody wrote at length is cut, what sohistio says beside it is not."""
        return self.reason.replace(self.text, cut(self.text, _MOST_OF_A_TEXT), 1)

    @property
    def todo(self) -> str:
        """What its people may do."""
        return _TODO[self.why]

    def document(self) -> dict[str, str | None]:
        """As JSON."""
        return {
            "kind": self.ref.kind,
            "namespace": self.ref.namespace,
            "name": self.ref.name,
            "why": self.why.value,
            "reason": self.reason,
            "opens": self.opens or None,
            "todo": self.todo,
        }


@dataclass(frozen=True, slots=True)
class HeldGroup:
    """Those that are held back for one and the same reason."""

    first: HeldBack
    refs: tuple[ObjectRef, ...]

    @property
    def line(self) -> str:
        """`Deployment shop/web, Deployment shop/api and 12 more: outside its window; opens …`."""
        return f"{self.names}: {self.first.words}"

    @property
    def names(self) -> str:
        """`Deployment shop/web, Deployment shop/api and 12 more`."""
        return first_names(self.refs, _MOST_NAMED)


def groups_of(held_back: Iterable[HeldBack]) -> list[HeldGroup]:
    """By their reasons, in order."""
    found: dict[str, list[HeldBack]] = {}
    for item in held_back:
        found.setdefault(item.reason, []).append(item)
    return [HeldGroup(items[0], tuple(item.ref for item in items)) for items in found.values()]


def waiting_words(held_back: Sequence[HeldBack]) -> str:
    """How many wait, as a sentence that nothing goes on: `3 workloads are not restarted now`; empty for none."""
    verb = "is" if len(held_back) == 1 else "are"
    return f"{counted(len(held_back), 'workload')} {verb} not restarted now" if held_back else ""
