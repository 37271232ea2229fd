"""What a policy would refuse that is used today: found before it is applied. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sohistio.model.fault import Fault, Severity
from sohistio.policy.callers import refused_callers
from sohistio.policy.closed_hosts import closed_hosts
from sohistio.policy.closed_outside import closed_outside
from sohistio.policy.plaintext import cut_off
from sohistio.policy.surroundings import Surroundings


def locked_out(seen: Surroundings) -> Iterator[Fault]:
    """Everything that the policy would change for the worse: an error where it is certain, else a warning.

    In stage audit nothing is refused yet: then all of them are warnings.
    """
    for fault in (*cut_off(seen), *closed_hosts(seen), *refused_callers(seen), *closed_outside(seen)):
        yield replace(fault, severity=Severity.WARNING) if seen.policy.is_audit else fault


def asked_of_prometheus(seen: Surroundings) -> bool:
    """Whether only a Prometheus knows who is concerned: clients without mTLS, callers, and whom they call outside."""
    return bool(seen.closing or seen.policy.workloads or seen.closes_outside)
