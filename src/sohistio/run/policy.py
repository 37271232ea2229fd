"""Makes the cluster's policy objects what the environment declares."""

from __future__ import annotations

from sohistio.adapters.kubernetes.policy import apply_policy_object, prune_policy_object
from sohistio.plan.policy_steps import ApplyPolicy, PrunePolicy
from sohistio.policy.transition import ROUTES
from sohistio.run.each import each
from sohistio.run.sync import delete_all
from sohistio.run.tools import Tools
from sohistio.run.wait import Waiting


def apply_policy(tools: Tools, waiting: Waiting, step: ApplyPolicy) -> None:
    """Apply every object, in order; what routes to hosts only where all that guards them is there.

    Raises FailedError with istiod's words on what it refuses.
    """
    what = "policy objects could not be applied"
    guards = [obj for obj in step.parsed if obj["kind"] not in ROUTES]
    routes = [obj for obj in step.parsed if obj["kind"] in ROUTES]
    for objects in filter(None, (guards, routes)):
        each(waiting, objects, lambda obj: apply_policy_object(tools.api, obj), what)


def prune_policy(tools: Tools, waiting: Waiting, step: PrunePolicy) -> None:
    """Delete every object that is still the policy's own, and wait until they are gone. Raises as `delete_all`."""
    delete_all(tools, waiting, step, lambda ref, path: prune_policy_object(tools.api, ref, path, step.environment))
