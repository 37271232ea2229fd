"""What a kubelet writes into the status of the pods that it runs. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sohistio.sandbox.traffic.proxy_container import container_of

_INITIAL = ("Initialized", "PodReadyToStartContainers")
_READY = ("ContainersReady", "Ready")


@dataclass(frozen=True, slots=True)
class PodState:
    """How a pod with a proxy is. The proxy alone can fail in it: an application's containers run nothing.

    `started` is when the proxy last started (RFC 3339), "" where it waits to be started again, `restarts` how often it
    was; `last_exit` is the exit code of the run before, None where there was none.
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
    proxy = container_of(pod)["name"]
    value = "True" if state.ready else "False"
    message = f"containers with unready status: [{proxy}]"
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
        "containerStatuses": [
            _proxy(item, state) if item["name"] == proxy else _application(item, state)
            for item in pod["spec"]["containers"]
        ],
        "initContainerStatuses": [
            _proxy(item, state) if item["name"] == proxy else _initial(item, state)
            for item in pod["spec"].get("initContainers") or ()
        ],
    }


def restarts_of(pod: Mapping[str, Any]) -> int:
    """How often a pod's proxy was started again; one that ran under an earlier supervisor goes on counting."""
    status, proxy = pod.get("status") or {}, container_of(pod)["name"]
    listed = [*(status.get("containerStatuses") or ()), *(status.get("initContainerStatuses") or ())]
    held: Mapping[str, Any] = next((found for found in listed if found["name"] == proxy), {})
    ran = bool((held.get("state") or {}).get("running"))
    return int(held.get("restartCount", 0)) + ran


def is_shown(pod: Mapping[str, Any], state: PodState) -> bool:
    """Whether the pod's object says of its readiness what the state says."""
    held = {found["type"]: found["status"] for found in (pod.get("status") or {}).get("conditions") or []}
    return all(held.get(kind) == ("True" if state.ready else "False") for kind in _READY)


def _initial(container: Mapping[str, Any], state: PodState) -> dict[str, Any]:
    """A native sidecar (restartPolicy Always) runs beside the others; any other one has ended before they start."""
    if container.get("restartPolicy") == "Always":
        return _application(container, state)
    ended = {"running": None, "waiting": None, "terminated": {"exitCode": 0, "reason": "Completed"}}
    return _shown(container, ready=True) | {"started": False, "state": ended}


def _application(container: Mapping[str, Any], state: PodState) -> dict[str, Any]:
    """It runs whatever its sidecar does. What kwok wrote of it while the pod was in trouble is taken back."""
    running = {"running": {"startedAt": state.begun}, "waiting": None, "terminated": None}
    return _shown(container, ready=True) | {"started": True, "state": running}


def _proxy(container: Mapping[str, Any], state: PodState) -> dict[str, Any]:
    waiting = {"reason": "CrashLoopBackOff", "message": f"back-off restarting failed container={container['name']}"}
    ended = {"exitCode": state.last_exit, "reason": "Completed" if state.last_exit == 0 else "Error"}
    return _shown(container, ready=state.ready) | {
        "started": bool(state.started),
        "restartCount": state.restarts,
        "state": {
            "running": {"startedAt": state.started} if state.started else None,
            "waiting": None if state.started else waiting,
        },
        "lastState": {"terminated": None if state.last_exit is None else ended},
    }


def _shown(container: Mapping[str, Any], *, ready: bool) -> dict[str, Any]:
    named = {"name": container["name"], "image": container["image"], "imageID": ""}
    return named | {"ready": ready, "restartCount": 0, "lastState": {"terminated": None}}
