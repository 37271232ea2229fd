"""Checks of the policy before it is applied: whom it would lock out, hosts claimed twice, what its dry run says."""

from __future__ import annotations

from collections.abc import Iterator

from sohistio.checks.audit import TODO
from sohistio.checks.dry_run import audit_of
from sohistio.checks.preflight.check import Good, NotAsked, Verdict
from sohistio.checks.preflight.context import Context
from sohistio.checks.result import Result
from sohistio.errors import RefusedError
from sohistio.model.fault import Fault, Severity
from sohistio.model.words import counted
from sohistio.policy.claimed_hosts import claimed_twice
from sohistio.policy.lock_out import asked_of_prometheus, locked_out

SECONDS = 45.0
"""For the checks that wait for Prometheus as well."""
_NO_POLICY = "the environment has no policy"


def policy_lock_out(context: Context) -> Iterator[Verdict]:
    """Nothing that is used today would be refused."""
    if context.environment.policy is None:
        yield NotAsked(_NO_POLICY)
        return
    found = context.around()
    if found.unasked is not None:
        yield _unasked(found.unasked)
    if found.unread:
        names = " and ".join(found.unread)
        hint = "Ask for the role in rbac/reader.yaml."
        yield Fault(f"you lack permission to list {names}: what they lead to is not known", hint, Severity.WARNING)
    faults = tuple(locked_out(found.seen))
    yield from faults
    if not faults:
        blind = found.seen.traffic is None and asked_of_prometheus(found.seen)
        known = "; who calls whom is known with monitoring.prometheusURL only" if blind else ""
        yield Good(f"nothing is known that it would refuse and that is used today{known}")


def policy_hosts(context: Context) -> Iterator[Verdict]:
    """No host is claimed by several Gateways at the same port of the same gateway."""
    if context.environment.policy is None:
        yield NotAsked(_NO_POLICY)
        return
    seen = context.around().seen
    gateways = {ref: obj for ref, obj in seen.coming.items() if ref.kind == "Gateway"}
    faults = tuple(claimed_twice(gateways, seen.live if not seen.policy.is_audit else gateways))
    yield from faults
    if not faults:
        yield Good(f"{counted(len(gateways), 'Gateway')}, and none claims another one's host")


def policy_audit(context: Context) -> Iterator[Verdict]:
    """In stage audit: what Istio's dry run would have refused."""
    if not context.environment.mesh_policy().is_audit:
        yield NotAsked("policy.stage is not audit")
        return
    for result in audit_of(context.environment):
        if result.result is Result.PASSED:
            yield Good(result.message)
        else:
            yield Fault(result.message, result.hint or TODO, result.severity)


def _unasked(error: RefusedError) -> Fault:
    return Fault(f"not known who calls whom: {error.brief()}", error.todo, Severity.WARNING)
