"""REST paths: of Kubernetes' own kinds from a table, of all others as the API server's discovery lists them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sohistio.model.state import ObjectRef


@dataclass(frozen=True, slots=True)
class Resource:
    """How a kind stands in a path: `base` such as `/apis/apps/v1`, `plural` such as `deployments`."""

    base: str
    plural: str
    namespaced: bool = True

    def path(self, name: str, namespace: str = "") -> str:
        """Of one object."""
        return f"{self.collection(namespace)}/{name}"

    def collection(self, namespace: str = "") -> str:
        """Of the objects in one namespace, or (without one) in all."""
        return f"{self.base}/namespaces/{namespace}/{self.plural}" if namespace else f"{self.base}/{self.plural}"


_CORE, _APPS, _RBAC = "/api/v1", "/apis/apps/v1", "/apis/rbac.authorization.k8s.io/v1"
_ADMISSION = "/apis/admissionregistration.k8s.io/v1"
_KINDS = {
    "Namespace": Resource(_CORE, "namespaces", namespaced=False),
    "ConfigMap": Resource(_CORE, "configmaps"),
    "Event": Resource(_CORE, "events"),
    "Pod": Resource(_CORE, "pods"),
    "PersistentVolumeClaim": Resource(_CORE, "persistentvolumeclaims"),
    "ResourceQuota": Resource(_CORE, "resourcequotas"),
    "Secret": Resource(_CORE, "secrets"),
    "Service": Resource(_CORE, "services"),
    "ServiceAccount": Resource(_CORE, "serviceaccounts"),
    "Deployment": Resource(_APPS, "deployments"),
    "StatefulSet": Resource(_APPS, "statefulsets"),
    "DaemonSet": Resource(_APPS, "daemonsets"),
    "HorizontalPodAutoscaler": Resource("/apis/autoscaling/v2", "horizontalpodautoscalers"),
    "PodDisruptionBudget": Resource("/apis/policy/v1", "poddisruptionbudgets"),
    "Lease": Resource("/apis/coordination.k8s.io/v1", "leases"),
    "NetworkPolicy": Resource("/apis/networking.k8s.io/v1", "networkpolicies"),
    "Role": Resource(_RBAC, "roles"),
    "RoleBinding": Resource(_RBAC, "rolebindings"),
    "ClusterRole": Resource(_RBAC, "clusterroles", namespaced=False),
    "ClusterRoleBinding": Resource(_RBAC, "clusterrolebindings", namespaced=False),
    "MutatingWebhookConfiguration": Resource(_ADMISSION, "mutatingwebhookconfigurations", namespaced=False),
    "ValidatingWebhookConfiguration": Resource(_ADMISSION, "validatingwebhookconfigurations", namespaced=False),
    "ValidatingAdmissionPolicy": Resource(_ADMISSION, "validatingadmissionpolicies", namespaced=False),
    "ValidatingAdmissionPolicyBinding": Resource(_ADMISSION, "validatingadmissionpolicybindings", namespaced=False),
    "CustomResourceDefinition": Resource(
        "/apis/apiextensions.k8s.io/v1", "customresourcedefinitions", namespaced=False
    ),
}
# Custom resources that are named without their version: by the charts, and by the in-cluster operator.
_CUSTOM = {
    "EnvoyFilter": Resource("/apis/networking.istio.io/v1alpha3", "envoyfilters"),
    "IstioOperator": Resource("/apis/install.istio.io/v1alpha1", "istiooperators"),
}


def base_of(group_version: str) -> str:
    """Where a group's version is served."""
    return f"/apis/{group_version}" if "/" in group_version else f"/api/{group_version}"


def collection_path(kind: str, namespace: str = "") -> str:
    """Where objects of a kind are listed, in one namespace or (without one) in all. Raises KeyError."""
    return (_KINDS.get(kind) or _CUSTOM[kind]).collection(namespace)


def path_of(ref: ObjectRef) -> str:
    """The REST path of an object. Raises KeyError for a kind that is not in the table."""
    return f"{collection_path(ref.kind, ref.namespace)}/{ref.name}"


def resource_of(group_version: str, kind: str, discover: Callable[[str], Mapping[str, Resource]]) -> Resource | None:
    """How the kind stands in a path; `discover` is asked for the kinds of a group's version that is not in the table.

    None where the API server does not know it.
    """
    known = _KINDS.get(kind)
    if known is not None and known.base == base_of(group_version):
        return known
    return discover(group_version).get(kind)


def discovered(group_version: str, listing: Mapping[str, Any]) -> dict[str, Resource]:
    """The kinds in an APIResourceList, without subresources."""
    return {
        item["kind"]: Resource(base_of(group_version), item["name"], item["namespaced"])
        for item in listing.get("resources", ())
        if "/" not in item["name"]
    }
