"""Replicas that the manifest leaves alone: kept through an apply, at 0 in a standby, woken where found asleep."""

from __future__ import annotations

import time

from sohistio.adapters.kubernetes.api import KubeError
from sohistio.adapters.kubernetes.paths import path_of
from sohistio.errors import FailedError
from sohistio.model.state import ObjectRef
from sohistio.plan.ownership import OWN_MANAGER
from sohistio.plan.steps import HoldStandby, KeepReplicas, ScaleUp
from sohistio.run.tools import Tools
from sohistio.run.wait import Waiting
from sohistio.system.parallel import side_by_side

# A standby's gateway counts as off after this long without a pod: a dying autoscaler may write once more.
_OFF_SECONDS = 2.0


def scale_up(tools: Tools, step: ScaleUp) -> None:
    """Give each Deployment its least number of replicas, all at once; its autoscaler goes on from there."""

    def scale(wanted: tuple[ObjectRef, int]) -> None:
        ref, minimum = wanted
        tools.api.merge_patch(path_of(ref), {"spec": {"replicas": minimum}})

    side_by_side(scale, step.minimums)


def keep_replicas(tools: Tools, step: KeepReplicas) -> None:
    """Apply each Deployment's replicas, as they are now, as our own field: istioctl's apply no longer takes them away.

    The autoscaler's next write takes the field over. One that it changed meanwhile (409) is its own already.
    """
    for ref in step.deployments:
        item = tools.api.get(path_of(ref))
        if item is None:
            continue
        metadata = {"name": ref.name, "namespace": ref.namespace}
        own = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata}
        try:
            tools.api.apply(path_of(ref), own | {"spec": {"replicas": item["spec"]["replicas"]}}, OWN_MANAGER)
        except KubeError as error:
            if error.status != 409:
                raise


def hold_standby(tools: Tools, waiting: Waiting, step: HoldStandby) -> None:
    """Scale each gateway to 0 where it is not, and see it stay there. Raises FailedError."""
    for ref in step.gateways:
        _switch_off(tools, waiting, ref)


def _switch_off(tools: Tools, waiting: Waiting, ref: ObjectRef) -> None:
    path = path_of(ref)
    off_since: float | None = None
    with waiting.at_most(tools.component_seconds, f"{ref} still has pods in a standby") as limit:
        while True:
            item = tools.api.get(path)
            if item is None:
                return
            wanted, running = int(item["spec"].get("replicas", 1)), (item.get("status") or {}).get("replicas", 0)
            if wanted != 0:
                tools.api.merge_patch(path, {"spec": {"replicas": 0}})
            now = time.monotonic()
            off_since = (off_since or now) if wanted == running == 0 else None
            if off_since is not None and now - off_since >= _OFF_SECONDS:
                return
            if limit.passed:
                raise FailedError(
                    f"{ref.short} still has pods in a standby",
                    details=waiting.reasons(ref),
                    todo="Look who scales it up (an autoscaler of your own?).",
                    again="Then run it again.",
                )
            waiting.pause()
