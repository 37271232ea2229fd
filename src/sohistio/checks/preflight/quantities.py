"""What pods ask for and nodes have, as numbers. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sohistio.model.quantity import quantity as exact

Object = Mapping[str, Any]


def quantity(text: str | float) -> float:
    """A Kubernetes quantity (`500m`, `2Gi`, `1e3`) as a number; 0 for what is none."""
    return float(exact(str(text).strip()) or 0)


@dataclass(frozen=True, slots=True)
class Amount:
    """CPU in cores, memory in bytes."""

    cpu: float = 0.0
    memory: float = 0.0

    @classmethod
    def of(cls, requests: Object | None) -> Amount:
        found = requests or {}
        return cls(quantity(found.get("cpu", 0)), quantity(found.get("memory", 0)))

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.cpu + other.cpu, self.memory + other.memory)

    def __sub__(self, other: Amount) -> Amount:
        return Amount(self.cpu - other.cpu, self.memory - other.memory)

    def at_least(self, other: Amount) -> Amount:
        """The larger of both, each by itself."""
        return Amount(max(self.cpu, other.cpu), max(self.memory, other.memory))

    def holds(self, other: Amount) -> bool:
        """Whether the other fits in; a thousandth of a core is no reason to say no."""
        return self.cpu + 1e-6 >= other.cpu and self.memory + 1 >= other.memory

    def __str__(self) -> str:
        return f"{self.cpu:g} CPU and {max(self.memory, 0.0) / 1024**2:.0f} MiB"


def pod_request(spec: Object) -> Amount:
    """What the scheduler counts for a pod: containers and native sidecars together, or the largest init container.

    As PodRequests of k8s.io/component-helpers/resource: pod-level requests beat the sum, overhead is added.
    """
    running = Amount()
    for container in spec.get("containers", ()):
        running += _request(container)
    sidecars = highest = Amount()
    for container in spec.get("initContainers") or ():
        if container.get("restartPolicy") == "Always":
            sidecars += _request(container)
            highest = highest.at_least(sidecars)
        else:
            highest = highest.at_least(sidecars + _request(container))
    total = (running + sidecars).at_least(highest)
    own = (spec.get("resources") or {}).get("requests") or {}
    if own:
        asked = Amount.of(own)
        total = Amount(asked.cpu if "cpu" in own else total.cpu, asked.memory if "memory" in own else total.memory)
    return total + Amount.of(spec.get("overhead"))


def _request(container: Object) -> Amount:
    resources = container.get("resources") or {}
    # A limit without a request is the request.
    return Amount.of({**(resources.get("limits") or {}), **(resources.get("requests") or {})})


def tolerates(spec: Object, taints: Sequence[Object]) -> bool:
    """Whether a pod may be scheduled to a node with these taints."""
    tolerations = spec.get("tolerations") or ()
    hard = [taint for taint in taints if taint.get("effect") in ("NoSchedule", "NoExecute")]
    return all(any(_tolerated(taint, toleration) for toleration in tolerations) for taint in hard)


def _tolerated(taint: Object, toleration: Object) -> bool:
    if toleration.get("effect") not in (None, "", taint.get("effect")):
        return False
    if toleration.get("operator") == "Exists":
        return toleration.get("key") in (None, "", taint.get("key"))
    return toleration.get("key") == taint.get("key") and toleration.get("value", "") == taint.get("value", "")
