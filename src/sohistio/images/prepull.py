"""Images on the nodes before they are needed: a short-lived DaemonSet, and which nodes have what. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sohistio.model.image import Image
from sohistio.model.state import ISTIO_NAMESPACE, ObjectRef

Object = Mapping[str, Any]

DAEMON_SET = ObjectRef("DaemonSet", ISTIO_NAMESPACE, "sohistio-prepull")
LABELS = {"app": DAEMON_SET.name}
# What starts in Istio's images and ends at once; of any other image the start fails, after the pull.
_COMMANDS: Mapping[str, tuple[str, ...]] = {
    "pilot": ("/usr/local/bin/pilot-discovery", "version"),
    "proxyv2": ("/usr/local/bin/pilot-agent", "version"),
    "ztunnel": ("/usr/local/bin/ztunnel", "version"),
}
_NO_PROGRAM = ("/sohistio-prepull-only",)
# Nobody's user: Istio's own, 1337, is the sidecars' (istioctl analyze, IST0144).
_USER = 65532
_NORMAL = frozenset({"", "ContainerCreating", "PodInitializing"})
PULLING = frozenset(
    {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable"}
)
# Nodes without a kubelet of their own (Azure Container Instances) keep no images.
_VIRTUAL = {"key": "type", "operator": "NotIn", "values": ["virtual-kubelet"]}


def daemon_set(images: Sequence[Image], pull_secret: str | None) -> dict[str, Any]:
    """A DaemonSet with a container for each image, on every Linux node that has a kubelet, tainted ones too."""
    spec: dict[str, Any] = {
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 0,
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "tolerations": [{"operator": "Exists"}],
        "affinity": {
            "nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {
                    "nodeSelectorTerms": [{"matchExpressions": [_VIRTUAL]}]
                }
            }
        },
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "runAsGroup": _USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(number, image) for number, image in enumerate(images)],
    }
    if pull_secret is not None:
        spec["imagePullSecrets"] = [{"name": pull_secret}]
    labels = {**LABELS, "app.kubernetes.io/managed-by": "sohistio", "sidecar.istio.io/inject": "false"}
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": DAEMON_SET.name, "namespace": DAEMON_SET.namespace, "labels": labels},
        "spec": {
            "selector": {"matchLabels": LABELS},
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "100%"}},
            "template": {"metadata": {"labels": labels}, "spec": spec},
        },
    }


def lacking_nodes(nodes: Sequence[Object], images: Sequence[Image]) -> tuple[str, ...]:
    """The nodes that do not say that they have every image, sorted. A kubelet names its largest 50 images only."""
    return tuple(
        sorted(
            node["metadata"]["name"]
            for node in nodes
            if not {str(image) for image in images} <= set(_named(node)) and not _is_left_out(node)
        )
    )


def waiting_pods(pods: Sequence[Object]) -> dict[str, str]:
    """Node → why it has not all images yet: the pod's own words, empty where it is still pulling."""
    found = {}
    for pod in pods:
        statuses = (pod.get("status") or {}).get("containerStatuses") or ()
        if len(statuses) < len(pod["spec"]["containers"]) or not all(map(_is_pulled, statuses)):
            found[_node_of(pod)] = next(
                (words for status in statuses if (words := _trouble(status))), _unscheduled(pod)
            )
    return found


def _container(number: int, image: Image) -> dict[str, Any]:
    return {
        "name": f"image-{number}",
        "image": str(image),
        "imagePullPolicy": "IfNotPresent",
        "command": list(_COMMANDS.get(image.name, _NO_PROGRAM)),
        "resources": {
            "requests": {"cpu": "1m", "memory": "8Mi"},
            "limits": {"cpu": "100m", "memory": "64Mi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }


def _named(node: Object) -> Iterator[str]:
    for image in (node.get("status") or {}).get("images") or ():
        yield from image.get("names") or ()


def _is_left_out(node: Object) -> bool:
    labels = node["metadata"].get("labels") or {}
    return labels.get("kubernetes.io/os", "linux") != "linux" or labels.get("type") == "virtual-kubelet"


def _node_of(pod: Object) -> str:
    """A DaemonSet's pod is meant for one node before it is scheduled (Kubernetes, "DaemonSet")."""
    affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    meant = [
        name
        for term in required.get("nodeSelectorTerms") or ()
        for field in term.get("matchFields") or ()
        for name in field.get("values") or ()
    ]
    return str(pod["spec"].get("nodeName") or next(iter(meant), pod["metadata"]["name"]))


def _is_pulled(status: Object) -> bool:
    """A container that runs or ran, or one that could not be started, has its image."""
    waiting = (status.get("state") or {}).get("waiting")
    if waiting is None:
        return bool(status.get("state"))
    return waiting.get("reason", "") not in _NORMAL | PULLING


def _trouble(status: Object) -> str:
    waiting = (status.get("state") or {}).get("waiting") or {}
    if waiting.get("reason", "") not in PULLING:
        return ""
    return ": ".join(filter(None, (status.get("image", ""), waiting["reason"], waiting.get("message", ""))))


def _unscheduled(pod: Object) -> str:
    for condition in (pod.get("status") or {}).get("conditions") or ():
        if (condition["type"], condition["status"]) == ("PodScheduled", "False"):
            return f"{condition.get('reason', '')}: {condition.get('message', '')}"
    return ""
