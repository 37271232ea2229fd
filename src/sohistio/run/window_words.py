"""What people read of a list of workloads that is on its way, and of what was not restarted in the end. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sohistio.model.restart_window import Wait, Why
from sohistio.model.state import ObjectRef
from sohistio.model.words import first_names

_MOST_NAMED = 10
_SUMS: Mapping[Why, str] = {
    Why.BUDGET: "{} for room in a disruption budget",
    Why.NEIGHBOUR: "{} for another workload under the same budget",
    Why.STUCK: "{} under the budget of one that did not come up",
    Why.PACE: "{} for istiod to take the new proxies",
    Why.ISTIOD: "{} for a ready istiod",
    Why.HELD: "{} held",
}


def figures(total: int, done: int, flying: int, failed: int, waits: Sequence[Wait]) -> str:
    """How a list stands, in one line: `12 of 100 done, 5 in flight, 83 to go: 2 wait for room in a …`."""
    line = f"{done} of {total} done, {flying} in flight"
    line += f", {failed} did not come up" if failed else ""
    line += f", {len(waits)} to go" if waits else ""
    counts = {why: sum(wait.why is why for wait in waits) for why in _SUMS}
    said = [words.format(counts[why]) for why, words in _SUMS.items() if counts[why]]
    return f"{line} ({'; '.join(said)})" if said else line


def not_started(rest: Sequence[Wait], whys: Iterable[Why]) -> list[str]:
    """What is said of those that were not started for these reasons: each reason once, with the first names."""
    asked = set(whys)
    by_reason: dict[str, list[ObjectRef]] = {}
    for wait in rest:
        if wait.why in asked:
            by_reason.setdefault(wait.said, []).append(wait.candidate.ref)
    return [f"not restarted, {reason}: {first_names(refs, _MOST_NAMED)}" for reason, refs in by_reason.items()]
