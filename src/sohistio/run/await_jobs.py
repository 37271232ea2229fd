"""Jobs that still run with an old sidecar: nothing can restart them, so a restart waits a while for them to end."""

from __future__ import annotations

from collections.abc import Iterable

from sohistio.model.staleness import has_old_image
from sohistio.model.state import ClusterState, ObjectRef
from sohistio.model.words import first_names
from sohistio.run.wait import Waiting

_LOOK_SECONDS = 5.0
_MOST_NAMED = 10
# Kubernetes puts it on every pod of a Job.
_LABEL = "batch.kubernetes.io/job-name"


def old_jobs(state: ClusterState) -> dict[ObjectRef, ObjectRef]:
    """The running pods of Jobs whose sidecar is not the current one, each with its Job."""
    if state.sidecar is None:
        return {}
    return {
        ref: ObjectRef("Job", ref.namespace, pod.job)
        for ref, pod in state.unowned_carriers.items()
        if pod.job and pod.injected and pod.revision == state.revision and has_old_image(pod, state.sidecar)
    }


def await_jobs(waiting: Waiting, jobs: dict[ObjectRef, ObjectRef], seconds: float) -> None:
    """Wait at most so long for these pods to end; what runs on is reported, and is no failure."""
    if not jobs:
        return
    names = _names(jobs.values())
    waiting.observer.note(f"with an old sidecar until they end, and not restarted: {names}")
    running = dict(jobs)
    with waiting.at_most(seconds, f"Jobs with an old sidecar: {names}") as limit:
        while seconds and running:
            items = waiting.api.items("/api/v1/pods", labels=_LABEL, fields="status.phase=Running", metadata_only=True)
            there = {ObjectRef("Pod", it["metadata"]["namespace"], it["metadata"]["name"]) for it in items}
            running = {pod: job for pod, job in running.items() if pod in there}
            if not running:
                waiting.observer.note("all of these Jobs have ended")
                return
            waiting.observer.figures(f"waiting for Jobs with an old sidecar: {_names(running.values())}")
            if limit.passed:
                break
            waiting.pause(min(_LOOK_SECONDS, seconds))
    if seconds:
        waiting.observer.note(
            f"still running after {seconds:.0f} s, not waited for any more: {_names(running.values())}"
        )


def _names(jobs: Iterable[ObjectRef]) -> str:
    return first_names(sorted(set(jobs)), _MOST_NAMED)
