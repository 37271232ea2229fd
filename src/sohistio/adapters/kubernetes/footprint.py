"""Adapter: finds what a mesh has put into a cluster, by istioctl's labels and by the names that istiod uses."""

from __future__ import annotations

import hashlib
from base64 import b64decode

from sohistio.adapters.kubernetes.api import KubeApi, KubeError, Object
from sohistio.adapters.kubernetes.custom_resources import custom_resources, is_istios, resource_ref
from sohistio.adapters.kubernetes.ending import ending_in
from sohistio.adapters.kubernetes.gateway_api import is_aks
from sohistio.adapters.kubernetes.gateways import COMPONENT, GATEWAY_KINDS, KEPT
from sohistio.adapters.kubernetes.monitoring import owned_by_monitoring
from sohistio.adapters.kubernetes.paths import collection_path, path_of
from sohistio.model.footprint import NAMESPACE_REF, Footprint, MeshObject
from sohistio.model.monitoring import MONITORING_LABEL
from sohistio.model.pull_secrets import MANAGED_BY, SOHISTIO
from sohistio.model.record import RECORD_NAME
from sohistio.model.revision import LABEL
from sohistio.model.state import ISTIO_NAMESPACE, ObjectRef
from sohistio.system.parallel import workers

_REVISION = LABEL
# Whatever istioctl and the charts it renders may have made; CRDs apart, and what users write.
_LABELLED = (
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ClusterRole",
    "ClusterRoleBinding",
    "Deployment",
    "DaemonSet",
    "Service",
    "ServiceAccount",
    "ConfigMap",
    "Role",
    "RoleBinding",
    "HorizontalPodAutoscaler",
    "PodDisruptionBudget",
    "NetworkPolicy",
    "ResourceQuota",
    "EnvoyFilter",
)
_WEBHOOKS = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
# Webhooks of revision tags that another tool made have the charts' label only.
_WEBHOOK_LABEL = "app in (sidecar-injector,istiod)"
# The elections of istiod (pilot/pkg/leaderelection): ConfigMaps by these names, Leases by these and their revision.
# The last two are of versions before 1.24.
_ELECTIONS = (
    "istio-leader",
    "istio-namespace-controller-election",
    "istio-clustertrustbundle-controller-election",
    "istio-serviceexport-controller-election",
    "istio-gateway-status-leader",
    "istio-gateway-deployment",
    "istio-gateway-inferencepool",
    "istio-status-leader",
    "istio-analyze-leader",
    "istio-node-untaint",
    "istio-ip-autoallocate",
    "istio-gateway-leader",
    "istio-validation-controller-election",
)
# What istiod writes into every namespace, under this label (pilot/pkg/serviceregistry/kube/controller).
_CERTIFICATES = frozenset({"istio-ca-root-cert", "istio-ca-crl"})
_CERTIFICATE_LABEL = "istio.io/config=true"
CA_SECRETS = ("cacerts", "istio-ca-secret")
_CRD_SUFFIX = ".istio.io"
# Kinds of which something of another owner may live beside the mesh.
_NEIGHBOURS = ("Deployment", "StatefulSet", "DaemonSet", "Service", "Secret", "ConfigMap")
_ALWAYS_THERE = frozenset({"kube-root-ca.crt", RECORD_NAME})


def footprint_of(api: KubeApi) -> Footprint:
    """Everything of the mesh that is there. Raises KubeError where a kind cannot be listed: part is not all."""
    with workers() as pool:
        labelled = [pool.submit(_meta, api, kind, labels=COMPONENT) for kind in _LABELLED]
        labelled += [pool.submit(_meta, api, kind, labels=_WEBHOOK_LABEL) for kind in _WEBHOOKS]
        labelled += [pool.submit(_meta, api, kind, labels=f"{KEPT},!{COMPONENT}") for kind in GATEWAY_KINDS]
        neighbours = [pool.submit(_meta, api, kind, namespace=ISTIO_NAMESPACE) for kind in (*_NEIGHBOURS, "Lease")]
        certificates = pool.submit(_meta, api, "ConfigMap", labels=_CERTIFICATE_LABEL)
        pulling = pool.submit(_meta, api, "Secret", labels=f"{MANAGED_BY}={SOHISTIO},!{MONITORING_LABEL}")
        watching = pool.submit(owned_by_monitoring, api)
        resources = pool.submit(custom_resources, api)
        definitions = pool.submit(_meta, api, "CustomResourceDefinition")
        namespace = pool.submit(api.get, path_of(NAMESPACE_REF))
    found = {item.ref: item for future in labelled for item in future.result()}
    objects = {ref: item for ref, item in found.items() if not is_aks(ref)}
    beside = [item for future in neighbours for item in future.result()]
    shared = [resource_ref(item) for item in resources.result() if not is_istios(item)]
    beside += [MeshObject(ref) for ref in shared if ref.namespace == ISTIO_NAMESPACE]
    objects |= {item.ref: item for item in beside if _is_election(item.ref)}
    secrets = tuple(item.ref for item in beside if item.ref.kind == "Secret" and item.ref.name in CA_SECRETS)
    written = tuple(sorted(item.ref for item in certificates.result() if item.ref.name in _CERTIFICATES))
    pull_secrets = tuple(sorted(item.ref for item in pulling.result() if item.ref.name not in CA_SECRETS))
    monitoring = watching.result()
    known = {*objects, *secrets, *written, *pull_secrets, *(item.ref for item in monitoring)}
    return Footprint(
        objects=tuple(objects[ref] for ref in sorted(objects)),
        certificates=written,
        crds=tuple(sorted(item.ref for item in definitions.result() if item.ref.name.endswith(_CRD_SUFFIX))),
        custom_resources=sum(map(is_istios, resources.result())),
        ca_secrets=secrets,
        ca_root=_root_of(api, secrets),
        namespace=namespace.result() is not None,
        others=tuple(
            sorted(
                item.ref
                for item in beside
                if item.ref not in known and item.ref.kind != "Lease" and item.ref.name not in _ALWAYS_THERE
            )
        ),
        pull_secrets=pull_secrets,
        monitoring=monitoring,
        ending=ending_in(filter(is_istios, resources.result())),
        of_aks=tuple(found[ref] for ref in sorted(found) if ref not in objects),
    )


def _meta(api: KubeApi, kind: str, *, labels: str = "", namespace: str = "") -> list[MeshObject]:
    try:
        items = api.items(collection_path(kind, namespace), labels=labels, metadata_only=True)
    except KubeError as error:
        if error.status == 404:  # a kind that this cluster does not serve
            return []
        raise
    return [_mesh_object(kind, item) for item in items]


def _mesh_object(kind: str, item: Object) -> MeshObject:
    metadata = item["metadata"]
    labels = metadata.get("labels") or {}
    ref = ObjectRef(kind, metadata.get("namespace", ""), metadata["name"])
    return MeshObject(ref, labels.get(COMPONENT, ""), labels.get(_REVISION, ""))


def _is_election(ref: ObjectRef) -> bool:
    if ref.kind == "ConfigMap":
        return ref.name in _ELECTIONS
    return ref.kind == "Lease" and any(ref.name == name or ref.name.startswith(f"{name}-") for name in _ELECTIONS)


def _root_of(api: KubeApi, secrets: tuple[ObjectRef, ...]) -> str:
    """The root that istiod takes: `cacerts`, a plugged-in CA, comes before the one it signs itself."""
    if not secrets:
        return ""
    data = (api.get(path_of(min(secrets))) or {}).get("data") or {}
    pem = b64decode(data.get("root-cert.pem") or data.get("ca-cert.pem") or "")
    return hashlib.sha256(pem.strip()).hexdigest() if pem else ""
