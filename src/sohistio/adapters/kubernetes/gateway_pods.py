"""Adapter: the pods of Deployments, as a watch looks at them: ready or not, restarts, crash loops."""

from __future__ import annotations

from collections.abc import Collection

from sohistio.adapters.kubernetes.api import KubeApi, Object
from sohistio.adapters.kubernetes.paths import path_of
from sohistio.model.health import PodLook
from sohistio.model.selector import selector_matches
from sohistio.model.state import ObjectRef

_CRASHES = "CrashLoopBackOff"


class GatewayPods:
    """Reads the pods of these Deployments; their selectors, which cannot change, are read once."""

    def __init__(self, api: KubeApi, refs: Collection[ObjectRef]) -> None:
        self._api = api
        self._refs = tuple(refs)
        self._selectors: dict[ObjectRef, Object] = {}

    def look(self) -> dict[ObjectRef, tuple[PodLook, ...]]:
        """All of them now but those that are being deleted; of a Deployment that is gone none. Raises KubeError."""
        for ref in self._refs:
            if ref not in self._selectors and (item := self._api.get(path_of(ref))) is not None:
                self._selectors[ref] = item["spec"]["selector"]
        namespaces = {ref.namespace for ref in self._refs}
        pods = {name: self._api.items(f"/api/v1/namespaces/{name}/pods") for name in namespaces}
        return {
            ref: tuple(
                look_at(pod)
                for pod in pods[ref.namespace]
                if selector_matches(self._selectors.get(ref), pod["metadata"].get("labels") or {})
                and not pod["metadata"].get("deletionTimestamp")
            )
            for ref in self._refs
        }


def look_at(pod: Object) -> PodLook:
    """A raw pod."""
    status = pod.get("status") or {}
    containers = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    ends = [_last_end(item) for item in containers if item.get("restartCount")]
    return PodLook(
        uid=pod["metadata"].get("uid", ""),
        name=pod["metadata"]["name"],
        ready=any(item["type"] == "Ready" and item["status"] == "True" for item in status.get("conditions") or ()),
        restarts=sum(int(item.get("restartCount") or 0) for item in containers),
        crashes=any(((item.get("state") or {}).get("waiting") or {}).get("reason") == _CRASHES for item in containers),
        last_end=next((end for end in ends if end), ""),
    )


def _last_end(container: Object) -> str:
    ended = (container.get("lastState") or {}).get("terminated") or {}
    return f"{ended.get('reason', 'Error')}, exit code {ended.get('exitCode')}" if ended else ""
