"""Adapter: marks of others who may own a mesh: Helm, and Istio's in-cluster operator (gone since Istio 1.24)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sohistio.adapters.kubernetes.api import KubeApi, Object
from sohistio.adapters.kubernetes.paths import collection_path
from sohistio.model.state import ISTIO_NAMESPACE, ObjectRef

# While it is on an IstioOperator, deleting that uninstalls the mesh
# (istio/istio 1.23, operator/pkg/controller/istiocontrolplane).
OPERATOR_FINALIZER = "istio-finalizer.install.istio.io"
OPERATOR_DEFINITION = "istiooperators.install.istio.io"
_OPERATOR = "istio-operator"
# Helm notes its release on all that it puts there; istioctl renders the same charts without. Seeing it needs no right
# to read Secrets, where Helm keeps its releases.
_RELEASE = "meta.helm.sh/release-name"
_CHARTS = ("istiod", "gateway", "istio-")


def helm_releases(deployments: Iterable[Object]) -> tuple[str, ...]:
    """The Helm releases that own istiod or a gateway in istio-system, sorted."""
    found = set()
    for item in deployments:
        metadata = item["metadata"]
        labels: Mapping[str, Any] = metadata.get("labels") or {}
        is_istio = labels.get("app") == "istiod" or str(labels.get("helm.sh/chart", "")).startswith(_CHARTS)
        release = (metadata.get("annotations") or {}).get(_RELEASE)
        if release and is_istio and metadata.get("namespace") == ISTIO_NAMESPACE:
            found.add(str(release))
    return tuple(sorted(found))


def operator_controllers(deployments: Iterable[Object]) -> tuple[ObjectRef, ...]:
    """Deployments of the in-cluster operator (istio-operator, or istio-operator-<revision>) that are not at 0."""
    found = []
    for item in deployments:
        name = item["metadata"]["name"]
        is_operator = name == _OPERATOR or name.startswith(f"{_OPERATOR}-")
        if (
            is_operator
            and _runs_operator(item)
            and (item["spec"].get("replicas", 1) or (item.get("status") or {}).get("replicas"))
        ):
            found.append(ObjectRef("Deployment", item["metadata"]["namespace"], name))
    return tuple(sorted(found))


def _runs_operator(deployment: Object) -> bool:
    """Another's Deployment may have that name: Istio's own runs an image called operator."""
    images = [container["image"] for container in deployment["spec"]["template"]["spec"]["containers"]]
    return any(image.rpartition("/")[2].partition("@")[0].partition(":")[0] == "operator" for image in images)


def operator_resources(api: KubeApi) -> tuple[ObjectRef, ...]:
    """IstioOperators that the operator's finalizer holds, where the cluster has their CRD: else their list is forbidden
    to who may not list what is not there. Raises KubeError.
    """
    items = api.items(collection_path("IstioOperator"), metadata_only=True)
    held = (item["metadata"] for item in items if OPERATOR_FINALIZER in (item["metadata"].get("finalizers") or ()))
    return tuple(sorted(ObjectRef("IstioOperator", found["namespace"], found["name"]) for found in held))
