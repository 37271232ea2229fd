"""Adapter: raw objects → GatewayApi, and what AKS application routing has in a cluster kept apart from the mesh."""

from __future__ import annotations

from collections.abc import Iterable

from sohistio.adapters.kubernetes.api import KubeApi, KubeError, Object
from sohistio.model.gateway_api import (
    AKS,
    AKS_NAMESPACE,
    GROUP,
    ROUTING_CLASS,
    ApplicationRouting,
    Definition,
    GatewayApi,
    is_add_on_revision,
)
from sohistio.model.revision import DEFAULT_REVISION, LABEL
from sohistio.model.state import ObjectRef
from sohistio.plan.drift.managers import writers_of

CLASS_DEFINITION = f"gatewayclasses.{GROUP}"
_CLASS_PATH = f"/apis/{GROUP}/v1/gatewayclasses/{ROUTING_CLASS}"
# On the Deployments and pods that istiod makes of a Gateway (manifests/charts/…/files/kube-gateway.yaml).
_CLASS_LABEL = f"{GROUP}/gateway-class-name"
_BUNDLE, _CHANNEL = f"{GROUP}/bundle-version", f"{GROUP}/channel"
_MANAGED_BY = "app.kubernetes.io/managed-by"
_COMPONENT, _REVISION = "operator.istio.io/component", LABEL
_FORBIDDEN = 403


def has_routing_class(api: KubeApi) -> bool | None:
    """Whether application routing's GatewayClass is there; None where it may not be read. Raises KubeError."""
    try:
        return api.get(_CLASS_PATH) is not None
    except KubeError as error:
        if error.status == _FORBIDDEN:
            return None
        raise


def gateway_api(lists: dict[str, list[Object]], routing_class: bool | None) -> GatewayApi:
    """From the lists of Deployments and CustomResourceDefinitions."""
    istiods = [item for item in lists["Deployments"] if is_routing_istiod(item)]
    definitions = lists["CustomResourceDefinitions"]
    return GatewayApi(
        definitions=tuple(_definition(item) for item in definitions if item["metadata"]["name"].endswith(f".{GROUP}")),
        istio_definitions=sum(item["metadata"]["name"].endswith(".istio.io") for item in definitions),
        application_routing=ApplicationRouting(
            istiods=tuple(f"Deployment {AKS_NAMESPACE}/{item['metadata']['name']}" for item in istiods),
            gateway_class=routing_class,
            labelled=any(_is_taken(item) for item in istiods),
        ),
    )


def without_application_routing(lists: dict[str, list[Object]]) -> dict[str, list[Object]]:
    """The lists without what is application routing's: its istiod, its gateways, and webhooks that lead to it."""
    return {name: [item for item in items if not _is_routings(item)] for name, items in lists.items()}


def is_routing_istiod(deployment: Object) -> bool:
    """Whether a Deployment is application routing's istiod; the mesh add-on's has a revision."""
    labels = deployment["metadata"].get("labels") or {}
    here = deployment["metadata"].get("namespace") == AKS_NAMESPACE and labels.get("app") == "istiod"
    return here and not is_add_on_revision(labels.get(_REVISION, ""))


def is_aks(ref: ObjectRef) -> bool:
    """Whether an object is of AKS's own Istio: in its namespace, or named after that, as the charts do it."""
    return ref.namespace == AKS_NAMESPACE or (not ref.namespace and ref.name.endswith(f"-{AKS_NAMESPACE}"))


def _is_routings(item: Object) -> bool:
    labels = item["metadata"].get("labels") or {}
    if labels.get(_CLASS_LABEL) == ROUTING_CLASS:
        return True
    if item["metadata"].get("namespace") == AKS_NAMESPACE:
        return labels.get("app") == "istiod" and not is_add_on_revision(labels.get(_REVISION, ""))
    services = [(hook.get("clientConfig") or {}).get("service") for hook in item.get("webhooks") or ()]
    leads_there = any(service and service.get("namespace") == AKS_NAMESPACE for service in services)
    return leads_there and not is_add_on_revision(labels.get(_REVISION, ""))


def _is_taken(deployment: Object) -> bool:
    labels = deployment["metadata"].get("labels") or {}
    return _COMPONENT in labels and labels.get(_REVISION) == DEFAULT_REVISION


def _definition(item: Object) -> Definition:
    metadata = item["metadata"]
    notes = metadata.get("annotations") or {}
    # AKS's page shows it as an annotation; elsewhere it is a label.
    is_aks_managed = AKS.lower() in {notes.get(_MANAGED_BY), (metadata.get("labels") or {}).get(_MANAGED_BY)}
    writers: Iterable[str] = writers_of(metadata.get("managedFields") or (), ("metadata", "annotations", _BUNDLE))
    return Definition(
        name=metadata["name"],
        bundle=str(notes.get(_BUNDLE, "")),
        channel=str(notes.get(_CHANNEL, "")),
        owner=AKS if is_aks_managed else next(iter(writers), ""),
    )
