"""Adapter: the raw lists of a look at a cluster → ClusterState. Asks for nothing."""

from __future__ import annotations

from collections.abc import Collection

from sohistio.adapters.kubernetes import injection
from sohistio.adapters.kubernetes.api import Object
from sohistio.adapters.kubernetes.budgets import budgets_in
from sohistio.adapters.kubernetes.ending import ending_definitions
from sohistio.adapters.kubernetes.foreign import helm_releases, operator_controllers
from sohistio.adapters.kubernetes.gateways import (
    COMPONENT,
    gateway_services,
    is_gateway,
    is_kept,
    is_of_another,
    is_released,
)
from sohistio.adapters.kubernetes.injection import injectors_of, injects
from sohistio.adapters.kubernetes.webhooks import LISTED as WEBHOOKS
from sohistio.adapters.kubernetes.webhooks import webhooks_in
from sohistio.adapters.kubernetes.workloads import carriers_in, running_in, workloads_in
from sohistio.model.held import is_held, is_paused_by_others
from sohistio.model.image import tag_of
from sohistio.model.restart_annotations import restart_annotations
from sohistio.model.revision import revision_of
from sohistio.model.state import (
    ISTIO_NAMESPACE,
    ClusterState,
    Istiod,
    MeshDeployment,
    ObjectRef,
    ObservedNamespace,
    Workload,
)
from sohistio.plan.drift.managers import owns, writer_of, writers_of
from sohistio.plan.ownership import ISTIOCTL_MANAGER, OWN_MANAGER

_VERSION = "operator.istio.io/version"
_REPLICAS = ("spec", "replicas")


def state_of(
    server: str, version: Object, lists: dict[str, list[Object]], injected_soon: Collection[str]
) -> ClusterState:
    """What the lists show, by the names that `observe` gives them; workloads of namespaces `injected_soon`, too."""
    deployments = lists["Deployments"]
    istiods = tuple(_istiod(item) for item in deployments if _label(item, "app") == "istiod")
    of_mesh = [item for item in deployments if _is_mesh(item)]
    running = running_in(lists, {_ref("Deployment", item) for item in of_mesh})
    mesh = tuple(_mesh_deployment(item, running[_ref("Deployment", item)]) for item in of_mesh)
    leftovers = [
        *(_leftover(kind, item) for kind in WEBHOOKS for item in lists[f"{kind}s"]),
        *(_leftover("Deployment", item) for item in deployments if _is_mesh(item) and _is_half_a_mesh(item)),
        *(_leftover("Service", item) for item in lists["Services"] if is_released(item) and not is_of_another(item)),
    ]
    own = {seen.ref for seen in mesh}
    injectors = injectors_of(lists["MutatingWebhookConfigurations"])
    workloads, unowned = workloads_in(lists, injected_soon)
    carriers, unowned_carriers = carriers_in(lists)
    return ClusterState(
        server=server,
        kubernetes_version=str(version.get("gitVersion", "")).removeprefix("v"),
        istiods=istiods,
        helm_releases=helm_releases(deployments),
        operator_controllers=operator_controllers(deployments),
        leftovers=tuple(ref for ref, _ in leftovers),
        leftover_versions=tuple(sorted({version for _, version in leftovers if version})),
        mesh_deployments=mesh,
        gateway_services=gateway_services(lists["Services"], own),
        released=tuple(
            _ref(kind, item)
            for kind, items in (("Deployment", deployments), ("Service", lists["Services"]))
            for item in items
            if is_kept(item)
        ),
        budgets=budgets_in(lists),
        # In an injected namespace a gateway is still no application: istioctl rolls it.
        workloads=tuple(workload for workload in workloads if workload.ref not in own),
        unowned_pods=unowned,
        carriers=carriers,
        unowned_carriers=unowned_carriers,
        namespaces=tuple(_namespace(item, injectors) for item in lists["Namespaces"]),
        ending=ending_definitions(lists["CustomResourceDefinitions"]),
        webhooks=webhooks_in({kind: lists[f"{kind}s"] for kind in WEBHOOKS}, lists["Services"], lists["Pods"]),
    )


def _namespace(item: Object, injectors: tuple[injection.Injector, ...]) -> ObservedNamespace:
    metadata = item["metadata"]
    labels = metadata.get("labels") or {}
    fields = metadata.get("managedFields") or ()
    writers = writers_of(fields, ("metadata", "labels", "istio-injection"))
    deciding = writers or writers_of(fields, ("metadata", "labels", "istio.io/rev"))
    return ObservedNamespace(
        name=metadata["name"],
        injected=injects(injectors, labels),
        injection=labels.get("istio-injection"),
        revision=labels.get("istio.io/rev"),
        labelled_by_sohistio=set(writers) == {OWN_MANAGER},  # what others apply as well (GitOps) is theirs to take away
        ending="deletionTimestamp" in metadata,
        set_by=next(iter(deciding), ""),
        annotations=restart_annotations(item),
    )


def _label(item: Object, key: str) -> str:
    return str((item["metadata"].get("labels") or {}).get(key, ""))


def _ref(kind: str, item: Object) -> ObjectRef:
    return ObjectRef(kind, item["metadata"].get("namespace", ""), item["metadata"]["name"])


def _is_half_a_mesh(item: Object) -> bool:
    """A gateway in a namespace of its own is not: without istiod only sohistio's mark says whose it is."""
    return _is_in_mesh_namespace(item) or (is_released(item) and not is_of_another(item))


def _is_in_mesh_namespace(item: Object) -> bool:
    return bool(item["metadata"].get("namespace") == ISTIO_NAMESPACE)


def _is_mesh(deployment: Object) -> bool:
    """All that istioctl put into istio-system, and gateways wherever they are."""
    own = _label(deployment, "app") == "istiod" or bool(_label(deployment, COMPONENT))
    return (_is_in_mesh_namespace(deployment) and own) or is_gateway(deployment)


def _istiod(item: Object) -> Istiod:
    containers = item["spec"]["template"]["spec"]["containers"]
    image = next((c["image"] for c in containers if c["name"] == "discovery"), "")
    managers = [field.get("manager", "") for field in item["metadata"].get("managedFields") or ()]
    return Istiod(
        ref=_ref("Deployment", item),
        revision=revision_of(item["metadata"].get("labels") or {}),
        image_version=tag_of(image),
        label_version=_label(item, _VERSION),
        managed_by=managers[0] if managers else "",
    )


def _leftover(kind: str, item: Object) -> tuple[ObjectRef, str]:
    return _ref(kind, item), _label(item, _VERSION)


def _mesh_deployment(item: Object, running: Workload) -> MeshDeployment:
    status = item.get("status") or {}
    managed = item["metadata"].get("managedFields") or ()
    return MeshDeployment(
        ref=_ref("Deployment", item),
        component="istiod" if _label(item, "app") == "istiod" else "gateway",
        desired=int(item["spec"].get("replicas", 1)),
        ready=int(status.get("readyReplicas", 0)),
        total=int(status.get("replicas", 0)),
        pod_labels=item["spec"]["template"]["metadata"].get("labels") or {},
        scaled_by=writer_of(managed, _REPLICAS),
        replicas_applied=any(entry.get("manager") == ISTIOCTL_MANAGER and owns(entry, _REPLICAS) for entry in managed),
        proxy_images=tuple(sorted({pod.proxy_image for pod in running.pods if pod.proxy_image})),
        rolling=running.rolling,
        held=is_held(item),
        paused=is_paused_by_others(item),
    )
