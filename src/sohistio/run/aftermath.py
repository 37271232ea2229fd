"""What a run that did not end well says first: whether there is a control plane."""

from __future__ import annotations

from collections.abc import Sequence

from sohistio.cluster.kube import KubeApi, KubeError
from sohistio.cluster.paths import path_of
from sohistio.footprint import ISTIOD_REF
from sohistio.progress import StepResult, StepState
from sohistio.steps import InstallIstio, UninstallIstio

_RUN_AGAIN = "run the same command again."


def replaces_half(results: Sequence[StepResult]) -> StepState | None:
    """How far the uninstall got of a run that put no control plane in its place; None where that is not so."""
    state: StepState | None = None
    for result in results:
        if isinstance(result.step, UninstallIstio) and result.state is not StepState.NOT_STARTED:
            state = result.state
        elif isinstance(result.step, InstallIstio) and result.state is StepState.DONE:
            state = None
    return state if any(isinstance(result.step, InstallIstio) for result in results) else None


def without_control_plane(api: KubeApi, results: Sequence[StepResult]) -> str:
    """What to say, and do, before everything else; empty where there is a control plane, or was none to replace."""
    uninstalled = replaces_half(results)
    if uninstalled is None:
        return ""
    certain = uninstalled is StepState.DONE
    try:
        istiod = api.get(path_of(ISTIOD_REF))
    except KubeError:
        pass
    else:
        if ((istiod or {}).get("status") or {}).get("readyReplicas", 0):
            return ""
        certain = True
    return f"There {'is' if certain else 'may be'} no control plane now; {_RUN_AGAIN}"
