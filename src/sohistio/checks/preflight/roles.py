"""Which of the roles in rbac/ a plan takes, for whoever lacks a right. Pure."""

from __future__ import annotations

from sohistio.model.mode import Mode
from sohistio.plan.authority_steps import WriteAuthority
from sohistio.plan.monitoring_steps import ApplyMonitoring, MakeSecrets, PruneMonitoring
from sohistio.plan.plan import Plan
from sohistio.plan.policy_steps import ApplyPolicy, PrunePolicy

_NAMESPACES = "Ask for the roles in rbac/namespaces.yaml; docs/rbac.md says what each right is for."
_SYNCER = "Ask for the roles sohistio-syncer in rbac/sync.yaml; docs/rbac.md says what each right is for."
_AUTHORITY = "Ask for Role sohistio-authority in rbac/authority.yaml, for the first install only; docs/rbac.md."
_POLICY = "Ask for the roles in rbac/installer.yaml and rbac/policy.yaml; docs/rbac.md says what each right is for."
_MONITORING = (
    "Ask for the roles in rbac/installer.yaml and rbac/monitoring.yaml, and rbac/policy.yaml for a policy; "
    "docs/rbac.md says what each right is for."
)


def role_of(plan: Plan) -> str:
    """What to ask for, where the installer's role is not all."""
    if plan.mode is Mode.SYNC:
        return _SYNCER
    if plan.mode is Mode.NAMESPACES:
        return _NAMESPACES
    if any(isinstance(step, WriteAuthority) for step in plan.steps):
        return f"{_AUTHORITY} Other rights: rbac/installer.yaml, and rbac/policy.yaml for a policy."
    if any(isinstance(step, MakeSecrets | ApplyMonitoring | PruneMonitoring) for step in plan.steps):
        return _MONITORING
    return _POLICY if any(isinstance(step, ApplyPolicy | PrunePolicy) for step in plan.steps) else ""
