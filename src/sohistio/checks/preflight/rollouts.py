"""What a rollout of istiod or a gateway has on top of the pods that run. Pure.

Source: kubernetes.io, "Deployments", rolling update: maxSurge and maxUnavailable are 25 % where nothing is said; a
percentage of maxSurge is rounded up, one of maxUnavailable down, and where both are 0 one pod may be missing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sohistio.checks.preflight.quantities import Amount
from sohistio.model.fault import Fault, Severity
from sohistio.model.state import ClusterState, ObjectRef
from sohistio.plan.changes import Action
from sohistio.plan.plan import Plan
from sohistio.plan.steps import InstallIstio, UninstallIstio

Object = Mapping[str, Any]
_DEFAULT = "25%"


@dataclass(frozen=True, slots=True)
class Rollout:
    """`running` pods are there at first, at most `surge` more meanwhile, and `unavailable` of them may be missing."""

    running: int
    surge: int
    unavailable: int
    is_istiod: bool = False


def rollouts(manifest: Sequence[Object], state: ClusterState, plan: Plan) -> dict[ObjectRef, Rollout]:
    """The Deployments that run and get another pod template from the plan."""
    if not any(isinstance(step, InstallIstio) for step in plan.steps):
        return {}
    changed = {
        change.ref
        for change in plan.changes.objects
        if change.action is Action.CHANGED and any(field.path.startswith("spec.template") for field in change.fields)
    }
    anew = any(isinstance(step, UninstallIstio) for step in plan.steps)
    specs = {
        ObjectRef("Deployment", item["metadata"]["namespace"], item["metadata"]["name"]): item["spec"]
        for item in manifest
        if item["kind"] == "Deployment"
    }
    found = {}
    for seen in state.mesh_deployments:
        is_istiod = seen.component == "istiod"
        if seen.desired and seen.ref in changed and seen.ref in specs and not (anew and is_istiod):
            found[seen.ref] = rollout_of(specs[seen.ref], seen.desired, is_istiod=is_istiod)
    return found


def rollout_of(spec: Object, running: int, *, is_istiod: bool = False) -> Rollout:
    """By the Deployment's strategy."""
    strategy = spec.get("strategy") or {}
    if strategy.get("type") == "Recreate":
        return Rollout(running, 0, running, is_istiod)
    rolling = strategy.get("rollingUpdate") or {}
    surge = _pods(rolling.get("maxSurge"), running, math.ceil)
    unavailable = _pods(rolling.get("maxUnavailable"), running, math.floor)
    return Rollout(running, surge, unavailable if surge or unavailable else 1, is_istiod)


def _pods(value: Any, running: int, rounded: Any) -> int:
    text = _DEFAULT if value is None else str(value)
    share = text.removesuffix("%")
    if not share.isdecimal():
        return 0
    return int(rounded(int(share) * running / 100)) if share != text else int(share)


def short_of(ref: ObjectRef, rollout: Rollout, placed: int, request: Amount) -> Fault:
    """What comes of it: with no pod missing and none more, a rollout cannot begin."""
    missing = f"no room for {rollout.surge - placed} of the {rollout.surge} pods of {request} each that it adds"
    if placed or rollout.unavailable:
        then = "it takes longer, a few pods at a time"
    elif not rollout.is_istiod and rollout.running > 1:
        then = f"one pod goes first, so {rollout.running - 1} serve meanwhile"
    else:
        then = "it hangs until one has room, and the run times out; the old pods go on serving"
    hint = "Add a node for the time of the rollout, or free some."
    return Fault(f"rollout of {ref.name}: {missing} to the {rollout.running} that run: {then}", hint, Severity.WARNING)
