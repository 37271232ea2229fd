"""How fast workloads may be restarted, in new proxies a second: no faster than istiod takes them. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

# So much of what was started may still be on its way to istiod when the next workload starts.
OUTSTANDING_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Pace:
    """`per_second` new proxies; `taken_at` is when istiod has taken all that were started, in the run's working time.

    A workload counts with all of its pods at the moment it starts, although they come one after the other: so the pace
    is an upper bound whatever its update strategy is.
    """

    per_second: float
    taken_at: float = 0.0

    def seconds_until(self, now: float) -> float:
        """Until the next workload may start; 0 where it may now."""
        return max(0.0, self.taken_at - now - OUTSTANDING_SECONDS)

    def after(self, pods: int, now: float) -> Pace:
        """The pace once a workload of so many pods has been started."""
        return replace(self, taken_at=max(self.taken_at, now) + pods / self.per_second)

    def at(self, per_second: float) -> Pace:
        """The same with another rate from now on."""
        return replace(self, per_second=per_second)
