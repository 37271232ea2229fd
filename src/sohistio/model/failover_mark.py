"""What the record of a cluster says of failovers: which side serves, and since when. Data and its JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum

_TIME = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3])(:[0-5]\d){2}(\.\d+)?\+00:00")


class Stage(StrEnum):
    """How far a failover is, as the record of one of the two clusters has it.

    Of the standby: `moving` until traffic is proven there, `active` while it serves, `rehearsing` during a rehearsal,
    `standby` after a failback or a rehearsal. Of the other side: `away` while the standby serves, `drained` where its
    gateways were switched off as well, `returning` during a failback, `serving` after it.
    """

    MOVING = "moving"
    ACTIVE = "active"
    REHEARSING = "rehearsing"
    STANDBY = "standby"
    AWAY = "away"
    DRAINED = "drained"
    RETURNING = "returning"
    SERVING = "serving"


@dataclass(frozen=True, slots=True)
class FailoverMark:
    """`since` is when the stage began, `switched` when the DNS record was switched last, both ISO 8601 in UTC.

    `switched` is empty where no run has switched it; `accepted` are the rules accepted by name, and why.
    """

    stage: Stage
    since: str
    who: str
    switched: str = ""
    accepted: str = ""

    def document(self) -> dict[str, str]:
        """As JSON."""
        return asdict(self)

    @classmethod
    def of(cls, values: Mapping[str, object]) -> FailoverMark:
        """Read the JSON back; raises ValueError where it is no mark: anybody may edit it."""
        texts = {key: values.get(key, "") for key in ("stage", "since", "who", "switched", "accepted")}
        if not all(isinstance(text, str) for text in texts.values()):
            raise ValueError("not a record of sohistio: failover has what is no text")
        stage = texts["stage"]
        if stage not in Stage._value2member_map_:
            raise ValueError(f"not a record of sohistio: failover has the stage {stage!r}"[:100])
        for key in ("since", "switched"):
            check_time("failover", key, str(texts[key]))
        return cls(
            Stage(str(stage)), str(texts["since"]), str(texts["who"]), str(texts["switched"]), str(texts["accepted"])
        )


_UNDER_WAY = frozenset({Stage.MOVING, Stage.RETURNING, Stage.AWAY, Stage.DRAINED})
_SERVE = frozenset({Stage.ACTIVE, Stage.SERVING})


def next_mark(known: FailoverMark | None, stage: Stage, who: str, now: str) -> FailoverMark:
    """The mark after `known`, from `now` on; within the same stage it keeps its time.

    Where a side begins to serve and nobody knows when the DNS record was switched to it (a run was killed just then, or
    the record was lost), it counts as switched now: the hold-down is too long then, never too short.
    """
    since = known.since if known and known.stage is stage else now
    switched = known.switched if known else ""
    if stage in _SERVE and known is not None and known.stage in _UNDER_WAY and switched < known.since:
        switched = now
    return FailoverMark(stage, since, who, switched)


def check_time(place: str, key: str, text: str) -> None:
    """Raises ValueError for what is no time in UTC; nothing at all is none."""
    if text and not _TIME.fullmatch(text):
        raise ValueError(f"not a record of sohistio: {place} has {key} {text!r}"[:100])
