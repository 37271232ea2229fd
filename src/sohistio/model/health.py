"""How a side does while it is watched: its gateways' pods, and the answers to the probes. Plain data, and its JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil

from sohistio.model.state import ObjectRef

MOST_FAILED_PERCENT = 1
MOST_SERVER_ERRORS = 0.05
"""Of all clients' requests, as Prometheus has them: applications answer with some 5xx by themselves (the alert
IstioGatewayErrors has the same bound)."""


@dataclass(frozen=True, slots=True)
class PodLook:
    """A pod at one moment. `restarts` counts those of all its containers since it was made; `last_end` says how the
    one before ended. `crashes` where a container waits to be started again (CrashLoopBackOff)."""

    uid: str
    name: str
    ready: bool
    restarts: int = 0
    crashes: bool = False
    last_end: str = ""


@dataclass(frozen=True, slots=True)
class GatewayHealth:
    """A gateway since the watch began: ready pods now, and the least at any look; its pods' restarts; the pods that
    began to crash again and again. `ends` say how containers ended that were restarted."""

    ref: ObjectRef
    ready: int
    least: int
    restarts: int = 0
    crash_loops: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()

    @property
    def problem(self) -> str:
        """Why it fails the watch; empty where it does not."""
        if self.least == 0:
            return f"{self.ref.short} had no ready pod"
        why = f" ({'; '.join(self.ends)})" if self.ends else ""
        if self.crash_loops:
            return f"{self.ref.short}: crash loop of {', '.join(self.crash_loops)}{why}"
        times = "once" if self.restarts == 1 else f"{self.restarts} times"
        return f"{self.ref.short}: its pods were restarted {times}{why}" if self.restarts else ""

    def line(self) -> str:
        """For people."""
        least = "" if self.least == self.ready else f", {self.least} at the least"
        loops = f", crash loop of {', '.join(self.crash_loops)}" if self.crash_loops else ""
        return f"{self.ref.short}: {self.ready} ready{least}, restarts {self.restarts}{loops}"

    def document(self) -> dict[str, object]:
        """As JSON."""
        return {
            "name": self.ref.name,
            "namespace": self.ref.namespace,
            "ready": self.ready,
            "leastReady": self.least,
            "restarts": self.restarts,
            "crashLoops": list(self.crash_loops),
        }


@dataclass(slots=True)
class Answers:
    """What came of the probes' requests: what was wrong with those that failed, and how long the good ones took."""

    faults: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)

    def add(self, fault: str, seconds: float) -> None:
        """One answer; `fault` is empty where it was as expected."""
        if fault:
            self.faults[fault] += 1
        else:
            self.seconds.append(seconds)

    @property
    def asked(self) -> int:
        """All requests."""
        return self.failed + len(self.seconds)

    @property
    def failed(self) -> int:
        """Those that were not as expected."""
        return self.faults.total()

    @property
    def is_bad(self) -> bool:
        """Whether more than one in a hundred failed."""
        return self.failed * 100 > self.asked * MOST_FAILED_PERCENT

    def line(self) -> str:
        """For people."""
        share = f" ({100 * self.failed / self.asked:.1f} %)" if self.failed else ""
        times = [(name, percentile(self.seconds, share)) for name, share in (("p50", 50), ("p95", 95))]
        took = ", ".join(f"{name} {seconds * 1000:.0f} ms" for name, seconds in times if seconds is not None)
        return f"{self.asked} requests, {self.failed} failed{share}" + (f"; {took}" if took else "")


def percentile(values: Sequence[float], percent: int) -> float | None:
    """The value that so many percent of all do not exceed (nearest rank); None where there are no values."""
    return sorted(values)[max(0, ceil(len(values) * percent / 100) - 1)] if values else None


@dataclass(frozen=True, slots=True)
class ServedRequests:
    """How all clients' requests through the gateways end, by Prometheus: a second, and the share of 5xx (0 to 1) in the
    last minute and at the worst."""

    per_second: float
    failed_share: float
    worst_share: float = 0.0

    def line(self) -> str:
        """For people."""
        worst = f", {self.worst_share:.1%} at the worst" if self.worst_share > self.failed_share else ""
        return f"Prometheus: {self.per_second:.1f} requests/s through the gateways, {self.failed_share:.1%} 5xx{worst}"

    def document(self) -> dict[str, object]:
        """As JSON."""
        return {
            "requestsPerSecond": round(self.per_second, 2),
            "failedShare": round(self.failed_share, 4),
            "worstFailedShare": round(self.worst_share, 4),
        }


@dataclass(frozen=True, slots=True)
class Health:
    """A watch, as far as it came. `seconds` it lasted, `blind` those in which the API server did not answer: then
    nothing is known of the gateways. `served` is what Prometheus says, `unserved` why it says nothing; both are empty
    where the environment names none."""

    environment: str
    seconds: float
    answers: Answers
    gateways: tuple[GatewayHealth, ...] = ()
    blind: float = 0.0
    served: ServedRequests | None = None
    unserved: str = ""

    @property
    def problems(self) -> tuple[str, ...]:
        """Why the watch fails; none where all was well."""
        bad = f"{self.answers.failed} of {self.answers.asked} requests to {self.environment} failed"
        gateways = (item.problem for item in self.gateways if item.problem)
        worst = self.served.worst_share if self.served else 0.0
        errors = f"{worst:.1%} of all requests through the gateways of {self.environment} ended in 5xx (Prometheus)"
        return (
            *((bad,) if self.answers.is_bad else ()),
            *((errors,) if worst > MOST_SERVER_ERRORS else ()),
            *gateways,
        )

    def lines(self) -> tuple[str, ...]:
        """For people: the requests, each gateway, and what could not be observed."""
        blind = f"the API server did not answer for {self.blind:.0f} s: its gateways were not observed then"
        return (
            self.answers.line(),
            *(item.line() for item in self.gateways),
            *((self.served.line(),) if self.served else ()),
            *((f"not known how all clients do: {self.unserved}",) if self.unserved else ()),
            *((blind,) if self.blind >= 1 else ()),
        )

    def document(self) -> dict[str, object]:
        """As JSON."""
        answers = self.answers
        return {
            "environment": self.environment,
            "seconds": round(self.seconds, 1),
            "requests": answers.asked,
            "failed": answers.failed,
            "failedShare": round(answers.failed / answers.asked, 4) if answers.asked else None,
            "faults": [{"fault": fault, "count": count} for fault, count in answers.faults.most_common()],
            "milliseconds": _milliseconds(answers.seconds),
            "gateways": [item.document() for item in self.gateways],
            "secondsNotObserved": round(self.blind, 1),
            "prometheus": self.served.document() if self.served else None,
            "problems": list(self.problems),
        }


def _milliseconds(values: Sequence[float]) -> Mapping[str, float | None]:
    found = {"p50": percentile(values, 50), "p95": percentile(values, 95), "slowest": percentile(values, 100)}
    return {name: None if value is None else round(value * 1000, 1) for name, value in found.items()}
