"""Adapter: Istio's custom resources, all kinds that the cluster serves; for backups and to see that none was lost."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence

from sohistio.adapters.kubernetes.api import KubeApi, Object
from sohistio.adapters.kubernetes.gateway_objects import of_istio
from sohistio.adapters.kubernetes.served_kinds import GATEWAY_API, ServedKind, served_kinds
from sohistio.model.state import ObjectRef
from sohistio.plan.changes import ref_of
from sohistio.system.parallel import side_by_side

# On what istioctl installs itself (EnvoyFilters of the charts before 1.23): it comes and goes with its version.
_ISTIOCTLS_OWN = "operator.istio.io/component"
# What names the Secrets of gateways, and by what of_istio knows which of them are Istio's.
GATEWAY_KINDS = frozenset({"Gateway", "GatewayClass", "ListenerSet", "XListenerSet"})
# istiod's mark on a Gateway whose Deployment it makes (pilot/pkg/config/kube/gatewaycommon, deploymentcontroller.go).
_ISTIODS_OWN = frozenset({"gateway.istio.io/controller-version"})


def custom_resources(api: KubeApi, kinds: Collection[str] = ()) -> list[Object]:
    """Every VirtualService, EnvoyFilter, AuthorizationPolicy, … with apiVersion and kind, sorted by kind and name; or
    those of some kinds only.

    Among them are the Gateway API's objects that Istio serves. Not among them is what istioctl installs itself.

    Raises KubeError where one kind cannot be listed: a part of them would be taken for all.
    """

    def listed(kind: ServedKind) -> list[Object]:
        found = api.items(f"/apis/{kind.group_version}/{kind.plural}", labels=f"!{_ISTIOCTLS_OWN}")
        return [{"apiVersion": kind.group_version, "kind": kind.kind} | item for item in found]

    asked = [kind for kind in served_kinds(api) if not kinds or kind.kind in kinds]
    found = [item for items in side_by_side(listed, asked) for item in items]
    istios = [item for item in found if is_istios(item)]
    shared = of_istio([item for item in found if not is_istios(item)])
    return sorted((*istios, *shared), key=resource_ref)


def is_istios(item: Object) -> bool:
    """Whether it is of Istio's own groups, and goes with their CRDs; not of the Gateway API."""
    return _group(item) not in GATEWAY_API


def resource_ref(item: Object) -> ObjectRef:
    """Its reference; of the Gateway API with the group in the kind, as kubectl takes it: both APIs have a Gateway."""
    ref = ref_of(item)
    return ref if is_istios(item) else ObjectRef(f"{ref.kind}.{_group(item)}", ref.namespace, ref.name)


def digests(resources: Sequence[Object]) -> Mapping[ObjectRef, str]:
    """SHA-256 of what somebody wrote into each (labels, annotations, spec): not of status, nor of the API's version."""
    return {
        resource_ref(item): hashlib.sha256(json.dumps(written(item), sort_keys=True).encode()).hexdigest()
        for item in resources
    }


def written(item: Object) -> list[object]:
    """What somebody wrote into an object, in a form that compares."""
    metadata = item["metadata"]
    return [metadata.get("labels") or {}, annotations_of(item), item.get("spec")]


def annotations_of(item: Object) -> dict[str, str]:
    """An object's annotations, without those that istiod writes: an upgrade changes them."""
    annotations: Mapping[str, str] = item["metadata"].get("annotations") or {}
    return {key: value for key, value in annotations.items() if key not in _ISTIODS_OWN}


def _group(item: Object) -> str:
    return str(item["apiVersion"]).partition("/")[0]
