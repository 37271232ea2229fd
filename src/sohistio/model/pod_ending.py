"""How a gateway's pod ends, read from its template: what is cut, and what comes to a pod that is gone. Pure.

Sources: kubernetes.io, "Pod Lifecycle", termination (preStop counts towards the grace period, which is 30 s where
nothing is said); istio, pkg/envoy/agent.go (terminationDrainDuration, 5 s; EXIT_ON_ZERO_ACTIVE_CONNECTIONS).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sohistio.model.durations import duration_of

_PROXY = "istio-proxy"
_GRACE, _DRAIN = 30.0, 5.0
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True, slots=True)
class PodEnding:
    """In seconds. `pre_stop` is None for a hook whose length cannot be read; `drain` None where open connections are
    waited for, however long: the grace period ends it.
    """

    pre_stop: float | None
    drain: float | None
    grace: float

    @classmethod
    def of(cls, template: Mapping[str, Any]) -> PodEnding:
        """Of the pod template of a Deployment whose pods bring their own proxy."""
        spec = template.get("spec") or {}
        containers = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
        proxy: Mapping[str, Any] = next((item for item in containers if item.get("name") == _PROXY), {})
        variables = {item["name"]: item.get("value", "") for item in proxy.get("env") or ()}
        waits = str(variables.get("EXIT_ON_ZERO_ACTIVE_CONNECTIONS")).lower() in ("true", "1", "t")
        grace = spec.get("terminationGracePeriodSeconds")
        return cls(
            pre_stop=_pre_stop((proxy.get("lifecycle") or {}).get("preStop")),
            drain=None if waits else _drain(template, variables),
            grace=_GRACE if grace is None else float(grace),
        )

    @property
    def served(self) -> float | None:
        """How long a request that is open when the pod gets SIGTERM is still served; None where that is not known."""
        if self.pre_stop is None:
            return None
        left = max(0.0, self.grace - self.pre_stop)
        return left if self.drain is None else min(left, self.drain)

    def faults(self, longest_request: float, load_balancer_delay: float) -> Iterator[str]:
        """What requests would fail of, both in seconds; nothing where a hook's length is not known."""
        if self.pre_stop is None or self.served is None:
            return
        if self.pre_stop < load_balancer_delay:
            yield (
                f"stops taking connections {_shown(self.pre_stop)} after it is told to end, "
                f"and its load balancer sends them for {_shown(load_balancer_delay)}"
            )
        if self.served < longest_request:
            cut = "its grace period" if self.drain is None or self.grace - self.pre_stop < self.drain else "its drain"
            yield f"cuts requests after {_shown(self.served)} ({cut}), and the longest takes {_shown(longest_request)}"


def _pre_stop(hook: Mapping[str, Any] | None) -> float | None:
    if not hook:
        return 0.0
    if "sleep" in hook:
        return float(hook["sleep"].get("seconds") or 0)
    command = " ".join((hook.get("exec") or {}).get("command") or ())
    slept = re.fullmatch(r"(?:.*[\s/])?sleep (\d+(?:\.\d+)?)", command)
    return float(slept[1]) if slept else None


def _drain(template: Mapping[str, Any], variables: Mapping[str, str]) -> float:
    """As pilot-agent reads it: the pod's annotation over the mesh's settings."""
    annotation = ((template.get("metadata") or {}).get("annotations") or {}).get("proxy.istio.io/config")
    for text in (annotation, variables.get("PROXY_CONFIG")):
        found = re.search(r"[\"']?terminationDrainDuration[\"']?\s*:\s*[\"']?([\d.hms]+)", text or "")
        if found:
            return sum(float(number) * _UNITS[unit] for number, unit in _DURATION.findall(found[1]))
    return _DRAIN


def _shown(seconds: float) -> str:
    return duration_of(round(seconds)) if seconds >= 1 else "at once" if seconds == 0 else f"{seconds:g}s"
