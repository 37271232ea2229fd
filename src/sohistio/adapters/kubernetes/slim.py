"""Only the fields that count, taken page by page: a big cluster's pods are hundreds of megabytes, whole. Pure.

What many objects have alike (the proxy's container is the same in all pods of a workload) is kept once.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from sohistio.adapters.kubernetes.api import Object
from sohistio.adapters.kubernetes.gateways import COMPONENT, KEPT
from sohistio.adapters.kubernetes.requests import Slimming
from sohistio.model.injected import STATUS, TOKENS

_OF_METADATA = (
    *("name", "namespace", "uid", "labels", "annotations", "ownerReferences"),
    *("creationTimestamp", "deletionTimestamp"),
)
_OF_SPEC = ("hostNetwork", "dnsConfig")
_LISTS = ("initContainers", "containers")
_PROXY = "istio-proxy"


def slimming(name: str) -> Slimming | None:
    """For a list by the name that `observe` gives it; None where all fields may count."""
    if name == "Pods":
        return _Pods().slim
    if name in ("Deployments", "StatefulSets", "DaemonSets", "ReplicaSets"):
        return _without_writers
    return None


def _without_writers(item: Object) -> Object:
    """Who wrote which field is of interest for the mesh's own objects."""
    labels = item["metadata"].get("labels") or {}
    if COMPONENT not in labels and KEPT not in labels and labels.get("app") != "istiod":
        item["metadata"].pop("managedFields", None)
    return item


class _Pods:
    """The pods of one list: who they are, whether they run, and what an injector put into them."""

    def __init__(self) -> None:
        self._known: dict[str, Any] = {}

    def slim(self, pod: Object) -> Object:
        metadata, spec, status = pod["metadata"], pod["spec"], pod.get("status") or {}
        injected = _injected(metadata.get("annotations") or {})
        found: Object = {key: spec[key] for key in _OF_SPEC if key in spec}
        for key in _LISTS:
            if key in spec:
                found[key] = [self._container(one, injected.get(key, ())) for one in spec[key] or ()]
        volumes = [
            volume
            for volume in spec.get("volumes") or ()
            if "persistentVolumeClaim" in volume or volume.get("name") in injected.get("volumes", ())
        ]
        if volumes:
            found["volumes"] = self._once(volumes)
        kept = {key: metadata[key] for key in _OF_METADATA if key in metadata}
        for key in ("labels", "annotations"):
            if kept.get(key):
                kept[key] = self._once(kept[key])
        conditions = [{"type": one["type"], "status": one["status"]} for one in status.get("conditions") or ()]
        return {
            "metadata": kept,
            "spec": found,
            "status": {"phase": status.get("phase"), "conditions": self._once(conditions)},
        }

    def _container(self, container: Object, injected: Collection[str]) -> Object:
        if container.get("name") != _PROXY and container.get("name") not in injected:
            container = {key: container[key] for key in ("name", "image") if key in container}
        elif mounts := container.get("volumeMounts"):
            container = container | {"volumeMounts": [one for one in mounts if one.get("mountPath") != TOKENS]}
        found: Object = self._once(container)
        return found

    def _once(self, value: Any) -> Any:
        """The value, or one that is equal to it and known already."""
        return self._known.setdefault(json.dumps(value), value)


def _injected(annotations: Object) -> Object:
    """The names of what an injector added, by their lists; nothing where its note cannot be read."""
    try:
        status = json.loads(annotations.get(STATUS, "{}"))
    except (ValueError, TypeError, RecursionError):
        return {}
    return {key: value for key, value in status.items() if isinstance(value, list)} if isinstance(status, dict) else {}
