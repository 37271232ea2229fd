"""Asks Prometheus what a policy in stage audit would have refused."""

from __future__ import annotations

from sohistio.checks.audit import audited, not_audited
from sohistio.checks.result import CheckResult
from sohistio.environments.load import Environment
from sohistio.errors import RefusedError
from sohistio.planning.traffic import dry_runs, prometheus_of


def audit_of(environment: Environment) -> tuple[CheckResult, ...]:
    """Warnings, or that there is nothing to warn of; nothing in any other stage."""
    if not environment.mesh_policy().is_audit:
        return ()
    try:
        prometheus = prometheus_of(environment)
        return tuple(audited(dry_runs(prometheus) if prometheus else None))
    except RefusedError as error:
        return (not_audited(error.brief(), error.todo),)
