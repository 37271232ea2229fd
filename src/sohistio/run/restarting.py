"""Carries a restart out: bounded waves, each rollout awaited, a failure budget, never below a disruption budget."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sohistio.cluster.kube import KubeApi
from sohistio.cluster.observe import observe
from sohistio.cluster.trouble import workload_path
from sohistio.errors import FailedError
from sohistio.postinstall import budgets_of, restarts, waves
from sohistio.run.waiting import Stuck, Waiting
from sohistio.state import Budget, ClusterState, SidecarTemplate, Workload

# The annotation of `kubectl rollout restart`.
_RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"


@dataclass(frozen=True, slots=True)
class RestartSettings:
    """How many workloads at a time, how many may fail before the rest is left, and the seconds each may take."""

    parallel: int
    max_failures: int
    workload_seconds: float


def restart_stale(waiting: Waiting, settings: RestartSettings) -> None:
    """Restart what is stale now. Raises FailedError that names the workloads which did not come up."""
    state = observe(waiting.api)
    if state.unreadable:
        raise FailedError("the cluster could not be read before the restarts", details=state.unreadable)
    to_restart, _ = restarts(state, state.sidecar)
    planned = waves(to_restart, state.budgets, settings.parallel)
    failed: list[Stuck] = []
    for number, wave in enumerate(planned, start=1):
        names = ", ".join(str(workload.ref) for workload in wave)
        waiting.observer.note(f"wave {number} of {len(planned)}: {names}")
        failed += _wave(waiting, wave, state, settings)
        if len(failed) >= settings.max_failures:
            break
    if failed:
        rest = sum(len(wave) for wave in planned[number:])
        left = f"; {rest} more were not started" if rest else ""
        raise FailedError(
            f"{len(failed)} of {len(to_restart)} workloads did not come up with the new sidecar{left}",
            details=tuple(line for stuck in failed for line in stuck.lines()),
            todo="Old pods that still run keep serving. Mend the workloads named here, then run `sohistio restart`.",
        )


def _wave(waiting: Waiting, wave: Sequence[Workload], state: ClusterState, settings: RestartSettings) -> list[Stuck]:
    sidecar = state.sidecar
    for workload in wave:
        if sidecar is not None and _is_on_its_way(workload, sidecar):
            continue  # its newest pods have the sidecar already: another restart would only add to the churn
        _await_budgets(waiting, workload, budgets_of(workload, state.budgets), settings.workload_seconds)
        _restart(waiting.api, workload)
    return waiting.rollouts([(workload.ref, 0) for workload in wave], settings.workload_seconds)


def _is_on_its_way(workload: Workload, sidecar: SidecarTemplate) -> bool:
    return workload.rolling and any(pod.proxy_image == sidecar.image_for(pod.annotations) for pod in workload.pods)


def _restart(api: KubeApi, workload: Workload) -> None:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    patch = {"spec": {"template": {"metadata": {"annotations": {_RESTARTED_AT: now}}}}}
    api.merge_patch(workload_path(workload.ref), patch)


def _await_budgets(waiting: Waiting, workload: Workload, budgets: Sequence[Budget], seconds: float) -> None:
    """Wait until every budget over the workload allows as many pods away as its update takes down at a time."""
    if workload.max_unavailable == 0:
        return
    end = time.monotonic() + seconds
    for budget in budgets:
        path = f"/apis/policy/v1/namespaces/{budget.ref.namespace}/poddisruptionbudgets/{budget.ref.name}"
        while True:
            live = waiting.api.get(path)
            allowed = int(((live or {}).get("status") or {}).get("disruptionsAllowed", 0))
            if live is None or allowed >= workload.max_unavailable:
                break
            if time.monotonic() > end:
                raise FailedError(
                    f"{budget.ref} does not allow {workload.ref} to restart: {allowed} pods may be away, "
                    f"its update takes {workload.max_unavailable}",
                    todo="Look which of its pods are not ready, then run `sohistio restart`.",
                )
            waiting.pause()
