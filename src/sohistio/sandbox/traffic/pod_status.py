"""What a kubelet writes into the status of the pods that it runs. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_INITIAL = ("Initialized", "PodReadyToStartContainers")
_READY = ("ContainersReady", "Ready")


@dataclass(frozen=True, slots=True)
class PodState:
    """How a pod is. `started` is when its container last started (RFC 3339), "" where it waits to be started again.

    `last_exit` is the exit code of the run before, None where there was none.
    """

    address: str
    host: str
    begun: str
    started: str
    ready: bool
    restarts: int = 0
    last_exit: int | None = None


def status_of(pod: Mapping[str, Any], state: PodState, now: str) -> dict[str, Any]:
    """The status as a strategic merge patch."""
    conditions: list[dict[str, Any]] = [
        {"type": kind, "status": "True", "lastTransitionTime": state.begun} for kind in _INITIAL
    ]
    held = {found["type"]: found for found in (pod.get("status") or {}).get("conditions") or []}
    names = [container["name"] for container in pod["spec"]["containers"]]
    value = "True" if state.ready else "False"
    message = f"containers with unready status: [{' '.join(names)}]"
    why: dict[str, Any] = {"reason": "ContainersNotReady", "message": message}
    if state.ready:
        why = {"reason": None, "message": None}
    for kind in _READY:
        before = held.get(kind, {})
        since = before.get("lastTransitionTime") if before.get("status") == value else now
        conditions.append({"type": kind, "status": value, "lastTransitionTime": since} | why)
    return {
        "phase": "Running",
        "podIP": state.address,
        # A strategic merge patch would add to this list: kwok may have given an address to a pod that was in trouble.
        "podIPs": [{"$patch": "replace"}, {"ip": state.address}],
        "hostIP": state.host,
        "hostIPs": [{"$patch": "replace"}, {"ip": state.host}],
        "startTime": state.begun,
        "conditions": conditions,
        "containerStatuses": [_container(container, state) for container in pod["spec"]["containers"]],
        "initContainerStatuses": [_init_container(item, state) for item in pod["spec"].get("initContainers") or ()],
    }


def is_shown(pod: Mapping[str, Any], state: PodState) -> bool:
    """Whether the pod's object says of its readiness what the state says."""
    held = {found["type"]: found["status"] for found in (pod.get("status") or {}).get("conditions") or []}
    return all(held.get(kind) == ("True" if state.ready else "False") for kind in _READY)


def _init_container(container: Mapping[str, Any], state: PodState) -> dict[str, Any]:
    """A native sidecar (restartPolicy Always) runs beside the others; any other one has ended before they start."""
    if container.get("restartPolicy") == "Always":
        return _container(container, state)
    ended = {"terminated": {"exitCode": 0, "reason": "Completed"}}
    shown = {"name": container["name"], "image": container["image"], "imageID": "", "ready": True}
    return shown | {"started": False, "restartCount": 0, "state": ended}


def _container(container: Mapping[str, Any], state: PodState) -> dict[str, Any]:
    waiting = {"reason": "CrashLoopBackOff", "message": f"back-off restarting failed container={container['name']}"}
    ended = {"exitCode": state.last_exit, "reason": "Completed" if state.last_exit == 0 else "Error"}
    return {
        "name": container["name"],
        "image": container["image"],
        "imageID": "",
        "ready": state.ready,
        "started": bool(state.started),
        "restartCount": state.restarts,
        "state": {
            "running": {"startedAt": state.started} if state.started else None,
            "waiting": None if state.started else waiting,
        },
        "lastState": {} if state.last_exit is None else {"terminated": ended},
    }
