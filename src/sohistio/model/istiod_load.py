"""Whether istiod keeps up with its proxies, from its own metrics. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

# Of istiod 1.29 to 1.31: seconds from a change until a proxy has it, as a histogram with a bucket at 1 s.
_BUCKET = re.compile(r'pilot_proxy_convergence_time_bucket\{(?:[^}]*,)?le="([^"]+)"[^}]*\} ([0-9.e+]+)')
_STARTED = re.compile(r"^process_start_time_seconds(?:\{[^}]*\})? (\S+)", re.MULTILINE)
# A push that takes longer is a slow one; with more slow ones than this share, istiod lags.
_SLOW_SECONDS = 1.0
_MOST_SLOW = 0.1
# Fewer pushes say nothing.
_LEAST_PUSHES = 5


@dataclass(frozen=True, slots=True)
class Pushes:
    """What one istiod counts since it `started` (which tells it from the others): all pushes, and the slow ones."""

    started: str
    total: float
    slow: float

    def lags_since(self, before: Pushes) -> bool:
        """Whether too many of the pushes since then were slow."""
        pushed, slow = self.total - before.total, self.slow - before.slow
        return pushed >= _LEAST_PUSHES and slow > pushed * _MOST_SLOW


@dataclass(frozen=True, slots=True)
class Keeping:
    """What the readings say so far: the share of the declared pace that istiod keeps up with.

    Half of it after each reading that lags, and twice of it, at most the whole, after each that does not. A reading is
    compared with the one before of the same istiod: behind a Service each may be another's.
    """

    share: float = 1.0
    last: Mapping[str, Pushes] = field(default_factory=dict)

    def after(self, reading: Pushes) -> Keeping:
        """With one more reading."""
        share, before = self.share, self.last.get(reading.started)
        if before is not None:
            share = max(share / 2, LEAST_SHARE) if reading.lags_since(before) else min(share * 2, 1.0)
        return Keeping(share, {**self.last, reading.started: reading})


LEAST_SHARE = 1 / 16


def pushes_in(text: str) -> Pushes | None:
    """What istiod's `/metrics` says of its pushes; None where it is not istiod's, or it has pushed nothing yet."""
    buckets: dict[float, float] = {}
    for bound, count in _BUCKET.findall(text):
        buckets[float(bound)] = buckets.get(float(bound), 0.0) + float(count)
    total = buckets.get(float("inf"))
    if total is None or _SLOW_SECONDS not in buckets:
        return None
    started = _STARTED.search(text)
    return Pushes(started[1] if started else "", total, total - buckets[_SLOW_SECONDS])
