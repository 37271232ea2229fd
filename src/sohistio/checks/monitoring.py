"""Verification of what watches the mesh: that it is as the environment declares it, and runs. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sohistio.checks.in_place import in_place, out_of_place
from sohistio.checks.result import CheckResult, failed, passed, warned
from sohistio.model.monitoring import SecretKey
from sohistio.model.state import ObjectRef
from sohistio.model.words import first_names
from sohistio.monitoring.compare import Comparison

NAME, READY, RECEIVER, WIZARDS = "monitoring-in-place", "monitoring-ready", "alert-receiver", "kiali-wizards"
_MOST_NAMED = 6


@dataclass(frozen=True, slots=True)
class MonitoringEvidence:
    """How the objects compare; why each Deployment that is not ready is not; whether the cluster has each key of a
    Secret that alerts need (None where it may not be read); and the objects of Istio that Kiali's wizards wrote.
    """

    comparison: Comparison = field(default_factory=Comparison)
    not_ready: Mapping[ObjectRef, str] = field(default_factory=dict)
    keys: Mapping[SecretKey, bool | None] = field(default_factory=dict)
    by_wizards: tuple[ObjectRef, ...] = ()


def monitoring_in_place(evidence: MonitoringEvidence) -> Iterator[CheckResult]:
    """One result for each way in which it is not in place; nothing where none is declared and none is there."""
    comparison = evidence.comparison
    yield from out_of_place(NAME, comparison.changes)
    yield from in_place(NAME, comparison.changes, comparison.compared)
    for ref, why in sorted(evidence.not_ready.items()):
        hint = (
            f"`kubectl describe {ref.kind.lower()} -n {ref.namespace} {ref.name}` says why; the mesh works without it."
        )
        yield failed(READY, f"{ref} is not ready: {why}", hint)
    if comparison.compared and not evidence.not_ready:
        yield passed(READY, "every part runs")
    for item, is_there in evidence.keys.items():
        if is_there:
            continue
        if is_there is None:
            message = f"not looked at: you lack permission to get Secret istio-system/{item.secret}"
            yield warned(RECEIVER, message, "rbac/monitoring.yaml has the rule: put the Secret's name there.")
            continue
        message = f"alerts reach nobody there: Secret istio-system/{item.secret} has no key {item.key}"
        hint = f"`kubectl create secret generic {item.secret} -n istio-system --from-file={item.key}=FILE`"
        yield failed(RECEIVER, message, hint)
    if evidence.by_wizards:
        names = first_names(list(map(str, evidence.by_wizards)), _MOST_NAMED)
        hint = "Put them where your other configuration is kept, or delete them: nobody reviewed them."
        yield warned(WIZARDS, f"written by Kiali's wizards: {names}", hint)
