"""What a support bundle takes of an object: named fields only, so that nothing else can get into it. Pure.

Left out is all that people fill with text of their own: values of environment variables, arguments, annotations,
labels, data of ConfigMaps, specs of custom resources, messages.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sohistio.adapters.kubernetes.api import Object

Chosen = dict[str, Any]
_METADATA = ("name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "generation")
_CONDITION = ("type", "status", "reason", "lastTransitionTime")
_STATE = ("reason", "exitCode", "startedAt", "finishedAt")
_RESOURCES = ("cpu", "memory")


def chosen(item: Object) -> Chosen:
    """Of any object: what it is, and its kind's own fields where there are some."""
    kind = str(item.get("kind", ""))
    found: Chosen = {"kind": kind, **_picked(item.get("metadata"), _METADATA)}
    conditions = (item.get("status") or {}).get("conditions")
    if isinstance(conditions, list):
        found["conditions"] = [_picked(condition, _CONDITION) for condition in conditions]
    return found | (_OF_KIND[kind](item) if kind in _OF_KIND else {})


def _picked(value: Any, keys: Sequence[str]) -> Chosen:
    """Of a map the plain values at these keys."""
    found = value if isinstance(value, Mapping) else {}
    return {key: found[key] for key in keys if isinstance(found.get(key), (str, int, float, bool))}


def _maps(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _map(value: Any, *path: str) -> Mapping[str, Any]:
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def _workload(item: Object) -> Chosen:
    status = ("replicas", "readyReplicas", "updatedReplicas", "availableReplicas", "unavailableReplicas")
    daemons = ("desiredNumberScheduled", "numberReady", "updatedNumberScheduled", "numberUnavailable")
    return {
        **_picked(_map(item, "spec"), ("replicas", "paused", "minReadySeconds", "progressDeadlineSeconds")),
        "status": _picked(_map(item, "status"), (*status, *daemons, "observedGeneration")),
        "containers": _containers(_map(item, "spec", "template", "spec")),
    }


def _containers(spec: Mapping[str, Any]) -> list[Chosen]:
    """Names of variables, never their values."""
    return [
        {
            **_picked(container, ("name", "image", "imagePullPolicy")),
            "variables": [str(one.get("name", "")) for one in _maps(container.get("env"))],
            "ports": [_picked(port, ("name", "containerPort", "protocol")) for port in _maps(container.get("ports"))],
            "requests": _picked(_map(container, "resources", "requests"), _RESOURCES),
            "limits": _picked(_map(container, "resources", "limits"), _RESOURCES),
        }
        for key in ("initContainers", "containers")
        for container in _maps(spec.get(key))
    ]


def _pod(item: Object) -> Chosen:
    statuses = [
        {
            **_picked(one, ("name", "image", "imageID", "ready", "started", "restartCount")),
            "state": {name: _picked(state, _STATE) for name, state in _map(one, "state").items()},
            "lastState": {name: _picked(state, _STATE) for name, state in _map(one, "lastState").items()},
        }
        for key in ("initContainerStatuses", "containerStatuses")
        for one in _maps(_map(item, "status").get(key))
    ]
    return {
        **_picked(_map(item, "spec"), ("nodeName", "hostNetwork", "serviceAccountName", "priorityClassName")),
        **_picked(_map(item, "status"), ("phase", "reason", "podIP", "hostIP", "qosClass", "startTime")),
        "containers": _containers(_map(item, "spec")),
        "statuses": statuses,
    }


def _service(item: Object) -> Chosen:
    spec = _map(item, "spec")
    ports = ("name", "protocol", "port", "targetPort", "nodePort")
    ingress = _maps(_map(item, "status", "loadBalancer").get("ingress"))
    return {
        **_picked(spec, ("type", "clusterIP", "loadBalancerIP", "loadBalancerClass", "externalTrafficPolicy")),
        "ports": [_picked(port, ports) for port in _maps(spec.get("ports"))],
        "loadBalancer": [_picked(one, ("ip", "hostname")) for one in ingress],
    }


def _autoscaler(item: Object) -> Chosen:
    return {
        **_picked(_map(item, "spec"), ("minReplicas", "maxReplicas")),
        "target": _picked(_map(item, "spec", "scaleTargetRef"), ("kind", "name")),
        "status": _picked(_map(item, "status"), ("currentReplicas", "desiredReplicas", "lastScaleTime")),
    }


def _budget(item: Object) -> Chosen:
    status = ("currentHealthy", "desiredHealthy", "disruptionsAllowed", "expectedPods")
    return {
        **_picked(_map(item, "spec"), ("minAvailable", "maxUnavailable")),
        "status": _picked(_map(item, "status"), status),
    }


def _webhooks(item: Object) -> Chosen:
    """The bundle of authorities by its digest; a `url` could hold a credential, and Istio's have none."""
    return {
        "webhooks": [
            {
                **_picked(one, ("name", "failurePolicy", "matchPolicy", "sideEffects", "timeoutSeconds")),
                "service": _picked(_map(one, "clientConfig", "service"), ("name", "namespace", "path", "port")),
                "caBundleSHA256": digest(str(_map(one, "clientConfig").get("caBundle") or "")),
            }
            for one in _maps(item.get("webhooks"))
        ]
    }


def _definition(item: Object) -> Chosen:
    versions = _maps(_map(item, "spec").get("versions"))
    return {"versions": [_picked(version, ("name", "served", "storage", "deprecated")) for version in versions]}


def _config_map(item: Object) -> Chosen:
    """Which keys there are and whether two are alike, never what they say."""
    return {"data": {str(key): digest(str(value)) for key, value in _map(item, "data").items()}}


def digest(text: str) -> str:
    """SHA-256 in hex; empty for nothing."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest() if text else ""


_OF_KIND: Mapping[str, Callable[[Object], Chosen]] = {
    "Deployment": _workload,
    "StatefulSet": _workload,
    "DaemonSet": _workload,
    "Pod": _pod,
    "Service": _service,
    "HorizontalPodAutoscaler": _autoscaler,
    "PodDisruptionBudget": _budget,
    "MutatingWebhookConfiguration": _webhooks,
    "ValidatingWebhookConfiguration": _webhooks,
    "CustomResourceDefinition": _definition,
    "ConfigMap": _config_map,
}
