"""Adapter: raw workloads, pods and owners → Workload: those that the mesh injects, and those that carry a proxy."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from sohistio.adapters.kubernetes.api import Object
from sohistio.adapters.kubernetes.gateways import kept_component
from sohistio.adapters.kubernetes.injection import INJECTION, injectors_of, injects
from sohistio.model.restart_annotations import restart_annotations
from sohistio.model.state import ObjectRef, ObservedPod, Workload

_KINDS = {"Deployments": "Deployment", "StatefulSets": "StatefulSet", "DaemonSets": "DaemonSet"}


# Whether what has these labels on its pods, in this namespace, is looked at.
_Asks = Callable[[str, Mapping[str, str]], bool]


def workloads_in(
    lists: dict[str, list[Object]], injected_soon: Collection[str] = ()
) -> tuple[tuple[Workload, ...], tuple[ObjectRef, ...]]:
    """The workloads whose new pods would get a sidecar, with their running pods, and the running pods that none owns.

    In an injected namespace that is all of them, those that opted out as well.
    """
    namespaces = {item["metadata"]["name"]: _labels(item) for item in lists["Namespaces"]}
    injectors = injectors_of(lists.get("MutatingWebhookConfigurations", ()))
    injected = {name for name, labels in namespaces.items() if injects(injectors, labels)} | set(injected_soon)

    def asks(place: str, pod_labels: Mapping[str, str]) -> bool:
        return place in injected or injects(injectors, namespaces.get(place, {}), pod_labels)

    def opted_in(place: str, pod_labels: Mapping[str, str]) -> bool:
        enabled = (INJECTION, "enabled")
        labels = dict(item for item in namespaces.get(place, {}).items() if item != enabled)
        return injects(injectors, labels, pod_labels)

    workloads, unowned = _owners_of(lists, asks, opted_in)
    return workloads, tuple(unowned)


def carriers_in(lists: dict[str, list[Object]]) -> tuple[tuple[Workload, ...], dict[ObjectRef, ObservedPod]]:
    """What has a proxy in a running pod, in any namespace: workloads with only those pods, and pods that none owns.

    The mesh's own gateways are not among them: they go and come with it.
    """
    carrying = lists | {"Pods": [pod for pod in lists["Pods"] if _proxy_image(pod["spec"])]}
    workloads, unowned = _owners_of(carrying, lambda _place, _labels: True)
    mesh = {_ref(kind, item) for name, kind in _KINDS.items() for item in lists[name] if kept_component(item)}
    return tuple(workload for workload in workloads if workload.pods and workload.ref not in mesh), unowned


def running_in(lists: dict[str, list[Object]], refs: Collection[ObjectRef]) -> dict[ObjectRef, Workload]:
    """These Deployments with their running pods."""
    asked = [item for item in lists["Deployments"] if _ref("Deployment", item) in refs]
    only = lists | {"Deployments": asked, "StatefulSets": [], "DaemonSets": []}
    places = {ref.namespace for ref in refs}
    workloads, _ = _owners_of(only, lambda place, _labels: place in places)
    return {workload.ref: workload for workload in workloads}


def _owners_of(
    lists: dict[str, list[Object]], asks: _Asks, opted_in: _Asks = lambda _place, _labels: False
) -> tuple[tuple[Workload, ...], dict[ObjectRef, ObservedPod]]:
    replica_set_owner = {item["metadata"]["uid"]: _controller(item) for item in lists["ReplicaSets"]}
    pods: dict[str, list[ObservedPod]] = {}
    unowned: dict[ObjectRef, ObservedPod] = {}
    asking = [
        (kind, item)
        for name, kind in _KINDS.items()
        for item in lists[name]
        if asks(item["metadata"]["namespace"], _template_labels(item))
    ]
    known = {item["metadata"]["uid"] for _, item in asking}
    owned = known | {item["metadata"]["uid"] for name in _KINDS for item in lists[name]}
    arriving: dict[str, list[ObservedPod]] = {}
    for pod in lists["Pods"]:
        metadata = pod["metadata"]
        owner = _controller(pod)
        owner = replica_set_owner.get(owner) or owner
        if not _is_running(pod):
            if owner in known and pod.get("status", {}).get("phase") == "Pending":
                arriving.setdefault(owner, []).append(_pod(pod))
        elif owner in known:
            pods.setdefault(owner, []).append(_pod(pod))
        elif owner not in owned and asks(metadata["namespace"], _labels(pod)):
            unowned[ObjectRef("Pod", metadata["namespace"], metadata["name"])] = _pod(pod)
    workloads = [
        replace(
            workload_of(kind, item, tuple(pods.get(item["metadata"]["uid"], ()))),
            arriving=tuple(arriving.get(item["metadata"]["uid"], ())),
            opted_in=opted_in(item["metadata"]["namespace"], _template_labels(item)),
        )
        for kind, item in asking
    ]
    return tuple(sorted(workloads, key=lambda workload: workload.ref)), {ref: unowned[ref] for ref in sorted(unowned)}


def _ref(kind: str, item: Object) -> ObjectRef:
    return ObjectRef(kind, item["metadata"]["namespace"], item["metadata"]["name"])


def _labels(item: Object) -> Mapping[str, str]:
    return item["metadata"].get("labels") or {}


def _template_labels(item: Object) -> Mapping[str, str]:
    return (item["spec"]["template"].get("metadata") or {}).get("labels") or {}


def _owners(item: Object) -> Sequence[Object]:
    return item["metadata"].get("ownerReferences") or ()


def _controller(item: Object) -> str:
    return next((str(owner["uid"]) for owner in _owners(item) if owner.get("controller")), "")


def _is_running(pod: Object) -> bool:
    """Pods that have ended, are going, or have not been started yet carry no sidecar that matters."""
    return pod.get("status", {}).get("phase") == "Running" and "deletionTimestamp" not in pod["metadata"]


def _pod(pod: Object) -> ObservedPod:
    metadata, spec = pod["metadata"], pod["spec"]
    conditions = pod.get("status", {}).get("conditions") or ()
    return ObservedPod(
        name=metadata["name"],
        labels=metadata.get("labels") or {},
        annotations=metadata.get("annotations") or {},
        proxy_image=_proxy_image(spec),
        ready=any(c["type"] == "Ready" and c["status"] == "True" for c in conditions),
        host_network=bool(spec.get("hostNetwork", False)),
        created=metadata.get("creationTimestamp", ""),
        job=next((str(it["name"]) for it in _owners(pod) if it.get("controller") and it.get("kind") == "Job"), ""),
    )


def _proxy_image(spec: Object) -> str:
    """Since Istio 1.27 the proxy is an init container that restarts (a native sidecar)."""
    containers = [*spec.get("containers", ()), *(spec.get("initContainers") or ())]
    return next((str(c.get("image", "")) for c in containers if c["name"] == "istio-proxy"), "")


def workload_of(kind: str, item: Object, pods: tuple[ObservedPod, ...]) -> Workload:
    """A raw Deployment, StatefulSet or DaemonSet with the running pods that belong to it."""
    metadata, spec, status = item["metadata"], item["spec"], item.get("status") or {}
    update = spec.get("strategy") or spec.get("updateStrategy") or {}
    strategy = "Partitioned" if (update.get("rollingUpdate") or {}).get("partition") else update.get("type")
    desired = int(status.get("desiredNumberScheduled", 0) if kind == "DaemonSet" else spec.get("replicas", 1))
    return Workload(
        ref=ObjectRef(kind, metadata["namespace"], metadata["name"]),
        desired=desired,
        paused=bool(spec.get("paused", False)),
        strategy=strategy or "RollingUpdate",
        max_unavailable=desired if strategy == "Recreate" else _max_unavailable(kind, spec, desired),
        rolling=_is_rolling(kind, item, status),
        pods=pods,
        brings_proxy=bool(_proxy_image(spec["template"]["spec"])),
        own_image=_own_image(spec["template"]),
        annotations=restart_annotations(item),
        template=spec["template"],
    )


def _own_image(template: Object) -> str:
    """The proxy's image where a template gives one, which istiod keeps (Istio, "Customizing injection").

    It replaces `auto`, and what `istioctl kube-inject` has put into the template.
    """
    image = _proxy_image(template["spec"])
    by_hand = "sidecar.istio.io/status" in ((template.get("metadata") or {}).get("annotations") or {})
    return "" if image == "auto" or by_hand else image


def _is_rolling(kind: str, item: Object, status: Object) -> bool:
    if int(status.get("observedGeneration", 0)) < int(item["metadata"].get("generation", 0)):
        return True
    if kind == "StatefulSet":
        return bool(status.get("currentRevision") != status.get("updateRevision"))
    if kind == "DaemonSet":
        return bool(status.get("updatedNumberScheduled", 0) < status.get("desiredNumberScheduled", 0))
    return bool(status.get("updatedReplicas", 0) != status.get("replicas", 0))


def _max_unavailable(kind: str, spec: Object, desired: int) -> int:
    """Pods down at a time during a rolling update, resolved as the controllers do (percentages, defaults)."""
    rolling = (spec.get("strategy") or spec.get("updateStrategy") or {}).get("rollingUpdate") or {}
    if kind != "Deployment":
        surge = _resolve(rolling.get("maxSurge", 0), desired, up=True)
        return 0 if surge else max(1, _resolve(rolling.get("maxUnavailable", 1), desired, up=True))
    unavailable = _resolve(rolling.get("maxUnavailable", "25%"), desired, up=False)
    surge = _resolve(rolling.get("maxSurge", "25%"), desired, up=True)
    return unavailable if unavailable or surge else 1


def _resolve(value: int | str, desired: int, *, up: bool) -> int:
    if isinstance(value, int):
        return value
    share = desired * int(value.removesuffix("%")) / 100
    return math.ceil(share) if up else math.floor(share)
