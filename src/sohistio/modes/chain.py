"""A chain of upgrades, a minor at a time: what is missing of it, and the flags that name it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from sohistio.model.versions import Version
from sohistio.modes.decide import Decision


def missing_minors(decision: Decision) -> tuple[Version, ...]:
    """The minors between the installed version and the target that a chain of upgrades still needs a release of.

    Each as its first release; none where the decision is refused or nothing is installed.
    """
    if decision.installed is None or decision.refusal or not decision.hops:
        return ()
    return _between(decision.installed, decision.hops)


def _between(installed: Version, hops: Sequence[Version]) -> tuple[Version, ...]:
    target = hops[-1]
    between = range(installed.minor + 1, target.minor) if installed.major == target.major else range(0)
    return tuple(Version(target.major, minor, 0) for minor in between if all(hop.minor != minor for hop in hops))


def via_flags(installed: Version, hops: Sequence[Version], patches: Sequence[Version]) -> str:
    """The `--via` flags that lead over `hops` a minor at a time, in rising order.

    `patches` are the newest releases that are known of the minors between; one without is written as 1.30.N.
    """
    chosen = {hop: str(hop) for hop in hops[:-1]}
    for first in _between(installed, hops):
        found = next((patch for patch in patches if (patch.major, patch.minor) == (first.major, first.minor)), None)
        chosen[found or first] = str(found or f"{first.major}.{first.minor}.N")
    return " ".join(f"--via {chosen[version]}" for version in sorted(chosen))
