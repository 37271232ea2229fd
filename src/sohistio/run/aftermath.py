"""What a run that did not end well says first: whether there is a control plane."""

from __future__ import annotations

from collections.abc import Sequence

from sohistio.adapters.kubernetes.api import KubeApi, KubeError
from sohistio.adapters.kubernetes.observe import observe
from sohistio.adapters.kubernetes.paths import path_of
from sohistio.errors import SohistioError
from sohistio.model.footprint import ISTIOD_REF
from sohistio.plan.steps import InstallIstio, UninstallIstio
from sohistio.run.progress import StepResult, StepState

# A look at one object says at once whether istiod is there; only where it is not, all else is worth the time.
_LOOK_SECONDS = 2.0


def lead(error: SohistioError, first: str) -> None:
    """Put `first` before all else that there is to do: it ends in running it again, which is not said twice."""
    if first:
        error.remedy, error.again = f"{first} {error.remedy}".strip(), ""


def without_control_plane(api: KubeApi, results: Sequence[StepResult]) -> str:
    """What to say, and do, before everything else, as the cluster shows it now.

    Empty where an istiod is ready, where this run was to leave none, and where nothing needs one (a first install).
    Where nobody answers, only a run that has uninstalled says that there may be none.
    """
    if not any(isinstance(result.step, InstallIstio) for result in results):
        return ""
    uninstalled, ready = _has_uninstalled(results), _is_ready(api)
    if ready or not (uninstalled or (ready is False and _is_missed(api))):
        return ""
    return f"There {'is' if ready is False else 'may be'} no control plane now; run the same command again."


def _is_ready(api: KubeApi) -> bool | None:
    """Whether a pod of istiod is ready; None where that cannot be read."""
    try:
        istiod = api.within(_LOOK_SECONDS).get(path_of(ISTIOD_REF))
    except KubeError:
        return None
    return bool(((istiod or {}).get("status") or {}).get("readyReplicas", 0))


def _is_missed(api: KubeApi) -> bool:
    """Whether gateways or workloads of this mesh are there, which an earlier run may have left without its istiod."""
    state = observe(api)
    gateways = any(item.component == "gateway" and item.total for item in state.mesh_deployments)
    pods = (*(pod for workload in state.carriers for pod in workload.pods), *state.unowned_carriers.values())
    return gateways or any(pod.revision == state.revision for pod in pods) or bool(state.unreadable)


def _has_uninstalled(results: Sequence[StepResult]) -> bool:
    """Whether this run has begun to take the old one away, and did not put the new one in its place."""
    uninstalled = False
    for result in results:
        if isinstance(result.step, UninstallIstio):
            uninstalled = result.state is not StepState.NOT_STARTED
        elif isinstance(result.step, InstallIstio) and result.state is StepState.DONE:
            uninstalled = False
    return uninstalled
