"""Which workloads a run takes, and in which order: the share of `--limit`, and the stages. Pure."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sohistio.model.held_back import HeldBack, Why
from sohistio.model.restart_annotations import UnreadableError, own_rules
from sohistio.model.restart_policy import RestartPolicy, Share, names
from sohistio.model.state import ClusterState, ObjectRef, Workload


@dataclass(frozen=True, slots=True)
class Stage:
    """Workloads that are restarted before the next stage begins. `suffix` is the end of its step's id, `words` begin
    its summary; both are empty for the rest.
    """

    suffix: str
    words: str
    workloads: tuple[Workload, ...]

    @property
    def is_canary(self) -> bool:
        return self.suffix == _CANARY


_CANARY = "-canary"


def left_out(share: Share | None, everything: Iterable[Workload], stale: Sequence[Workload]) -> list[HeldBack]:
    """Those of the stale workloads that are not within the share.

    A percentage is one of `everything`, so that it is the same workloads as long as those stay; a count is one of what
    is stale. A larger share has all of a smaller one.
    """
    if share is None:
        return []
    among = sorted({w.ref for w in (everything if share.percent else stale)}, key=_rank)
    most = math.ceil(len(among) * share.percent / 100) if share.percent else share.count
    taken = set(among[:most])
    reason = f"not in this {share.percent} % (--limit)" if share.percent else f"not within --limit {share.count}"
    return [HeldBack(w.ref, Why.LIMIT, reason) for w in stale if w.ref not in taken]


def _rank(ref: ObjectRef) -> str:
    return hashlib.sha256(f"{ref.namespace}/{ref.kind}/{ref.name}".encode()).hexdigest()


def stages_of(policy: RestartPolicy, state: ClusterState, workloads: Sequence[Workload]) -> list[Stage]:
    """The canary first, then the namespaces as they are listed, then the rest; those that have a workload."""
    around = {seen.name for seen in state.namespaces if _is_canary(seen.annotations)}

    def comes_first(workload: Workload) -> bool:
        ref = workload.ref
        return ref.namespace in around or _is_canary(workload.annotations) or any(names(n, ref) for n in policy.canary)

    found = [Stage(_CANARY, "canary: ", tuple(w for w in workloads if comes_first(w)))]
    rest = [w for w in workloads if not comes_first(w)]
    for name in policy.namespaces:
        those = tuple(w for w in rest if w.ref.namespace == name)
        found.append(Stage(f"-in-{name}", f"namespace {name}: ", those))
    found.append(Stage("", "", tuple(w for w in rest if w.ref.namespace not in policy.namespaces)))
    return [stage for stage in found if stage.workloads]


def _is_canary(annotations: Mapping[str, str]) -> bool:
    try:
        return own_rules(annotations).canary
    except UnreadableError:
        return False
