"""Makes the cluster's monitoring what the environment declares."""

from __future__ import annotations

from sohistio.adapters.kubernetes.monitoring import apply_monitoring_object, make_secret, prune_monitoring_object
from sohistio.model.state import ObjectRef
from sohistio.monitoring.prometheus import rehearsal_object
from sohistio.plan.monitoring_steps import (
    ApplyMonitoring,
    AwaitMonitoring,
    MakeSecrets,
    PruneMonitoring,
    ReportRehearsal,
)
from sohistio.planning.declared_monitoring import with_text
from sohistio.run.each import each
from sohistio.run.sync import delete_all
from sohistio.run.tools import Tools
from sohistio.run.wait import Waiting

_GONE_SECONDS = 90.0
"""A disk goes when its pod has ended, which has 30 s for that."""


def make_secrets(tools: Tools, step: MakeSecrets) -> None:
    """Make those that are not there. Raises KubeError."""
    for ref, key in zip(step.objects, step.keys, strict=True):
        make_secret(tools.api, ref, key, step.environment)


def apply_monitoring(tools: Tools, waiting: Waiting, step: ApplyMonitoring) -> None:
    """Apply every object, in order. Raises FailedError with the server's words on what it refuses."""
    what = "objects of monitoring could not be applied"
    each(waiting, step.parsed, lambda obj: apply_monitoring_object(tools.api, obj), what)


def await_monitoring(waiting: Waiting, step: AwaitMonitoring, seconds: float) -> None:
    """Wait at most so long. What does not run is said: the mesh does not depend on it, and the verification decides."""
    for stuck in waiting.rollouts([(ref, 1) for ref in step.deployments], seconds):
        for line in stuck.lines():
            waiting.observer.note(line)


def report_rehearsal(tools: Tools, step: ReportRehearsal, began: float) -> None:
    """Write when the rehearsal began. Raises FailedError with the server's words, KubeError."""
    apply_monitoring_object(tools.api, with_text(rehearsal_object(step.environment, int(began))))


def prune_monitoring(tools: Tools, waiting: Waiting, step: PruneMonitoring) -> None:
    """Delete every object that is still monitoring's own, and wait until they are gone. Raises as `delete_all`."""

    def one(ref: ObjectRef, path: str) -> bool:
        return prune_monitoring_object(tools.api, ref, path, step.environment)

    delete_all(tools, waiting, step, one, _GONE_SECONDS)
