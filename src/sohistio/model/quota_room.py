"""Whether a namespace's quotas have room for what restarts add to its pods: a dry run is of one pod alone. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sohistio.model.quantity import quantity
from sohistio.model.refused_pod import Refusal
from sohistio.model.state import ObjectRef

_PROXY = "istio-proxy"
_MEBIBYTE = Decimal(1024**2)
# A quota names requests with or without their prefix (Kubernetes, "Resource Quotas").
_NAMES = {"cpu": "requests.cpu", "memory": "requests.memory"}
_COUNTED = ("requests.cpu", "requests.memory", "limits.cpu", "limits.memory")
# Scopes that pods of workloads with a sidecar are in; a quota of another scope counts other pods, or some.
_USUAL = frozenset({"NotTerminating", "NotBestEffort"})

Amounts = Mapping[str, Decimal]
"""By the resource, as quotas name them: cores, bytes."""


@dataclass(frozen=True, slots=True)
class Quota:
    """A ResourceQuota: what it leaves, by the resources that a sidecar takes of."""

    place: str
    name: str
    room: Amounts


def quotas_in(items: Iterable[Mapping[str, Any]]) -> list[Quota]:
    """Raw ResourceQuotas that count the pods of workloads."""
    found = []
    for item in items:
        spec, used = item.get("spec") or {}, (item.get("status") or {}).get("used") or {}
        if spec.get("scopeSelector") or not _USUAL.issuperset(spec.get("scopes") or ()):
            continue
        hard = (item.get("status") or {}).get("hard") or {}
        room = {
            _NAMES.get(name, name): most - (quantity(used.get(name)) or Decimal())
            for name, text in hard.items()
            if _NAMES.get(name, name) in _COUNTED and (most := quantity(text)) is not None
        }
        found.append(Quota(item["metadata"]["namespace"], item["metadata"]["name"], room))
    return found


def taken_by_sidecar(pod: Mapping[str, Any]) -> Amounts:
    """What the sidecar of a raw pod requests and may take; nothing where it has none."""
    spec = pod.get("spec") or {}
    proxies = [one for key in ("initContainers", "containers") for one in spec.get(key) or () if one["name"] == _PROXY]
    return {
        f"{kind}.{name}": amount
        for proxy in proxies
        for kind, values in (proxy.get("resources") or {}).items()
        if kind in ("requests", "limits")
        for name, text in values.items()
        if (amount := quantity(text)) is not None
    }


def added(new: Mapping[str, Any], running: Iterable[Mapping[str, Any]]) -> Amounts:
    """What the pods take more once each is like the `new` one; all of them raw."""
    after, total = taken_by_sidecar(new), dict.fromkeys(_COUNTED, Decimal())
    for pod in running:
        before = taken_by_sidecar(pod)
        for name in _COUNTED:
            total[name] += after.get(name, Decimal()) - before.get(name, Decimal())
    return {name: amount for name, amount in total.items() if amount > 0}


def without_room(needs: Sequence[tuple[ObjectRef, Amounts]], quotas: Sequence[Quota]) -> dict[ObjectRef, Refusal]:
    """Those that no longer fit after the ones before them, and why."""
    left = {(quota.place, quota.name): dict(quota.room) for quota in quotas}
    found: dict[ObjectRef, Refusal] = {}
    for ref, need in needs:
        own = {name: room for (place, name), room in left.items() if place == ref.namespace}
        short = (
            f"the quota {name} has no room for the sidecars of all its pods "
            f"({resource}: {_words(resource, amount)} more, {_words(resource, room[resource])} left)"
            for name, room in own.items()
            for resource, amount in need.items()
            if resource in room and amount > room[resource]
        )
        if why := next(short, ""):
            found[ref] = Refusal(why, real=True, of_all=False)
            continue
        for room in own.values():
            for resource in need.keys() & room.keys():
                room[resource] -= need[resource]
    return found


def _words(resource: str, amount: Decimal) -> str:
    if resource.endswith("cpu"):
        return f"{amount * 1000:.0f}m"
    return f"{amount / _MEBIBYTE:.0f}Mi"
