"""What the rendered manifest asks for, in the words planners use. Pure: raw objects in, plain data out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sohistio.model.sidecar import SidecarTemplate
from sohistio.model.state import ClusterState, ObjectRef
from sohistio.model.versions import Version

_ADDRESS = "service.beta.kubernetes.io/azure-load-balancer-ipv4"


@dataclass(frozen=True, slots=True)
class DesiredDeployment:
    """istiod or a gateway. `minimum` is the least number of ready pods: the HPA's, or the fixed replicas.

    `autoscaled` where an HPA has the replicas and the manifest leaves them to it. `proxy_image` is a gateway's, empty
    where the injector chooses it.
    """

    ref: ObjectRef
    component: str
    minimum: int
    budget: str
    autoscaled: bool = False
    proxy_image: str = ""

    @property
    def is_off(self) -> bool:
        """True for a standby's gateway: 0 replicas."""
        return self.minimum == 0


@dataclass(frozen=True, slots=True)
class DesiredService:
    """A gateway's Service; `address` is empty where the environment leaves it to Azure."""

    ref: ObjectRef
    type: str
    address: str


@dataclass(frozen=True, slots=True)
class DesiredMesh:
    """The mesh of the rendered manifest; `operator` is the IstioOperator (YAML) it was rendered from."""

    version: Version
    operator: str
    deployments: tuple[DesiredDeployment, ...]
    services: tuple[DesiredService, ...]
    sidecar: SidecarTemplate | None

    @property
    def gateways(self) -> tuple[DesiredDeployment, ...]:
        """The gateways' Deployments."""
        return tuple(deployment for deployment in self.deployments if deployment.component == "gateway")

    def asleep(self, state: ClusterState) -> tuple[tuple[ObjectRef, int], ...]:
        """Deployments that are wanted on and are at 0 replicas, with the least they should have."""
        at_zero = {seen.ref for seen in state.mesh_deployments if seen.desired == 0}
        return tuple((item.ref, item.minimum) for item in self.deployments if item.ref in at_zero and not item.is_off)

    def dropped_replicas(self, state: ClusterState) -> tuple[tuple[ObjectRef, int], ...]:
        """Deployments whose replicas an older manifest set and this one leaves to the autoscaler, with their number.

        istioctl's apply would drop the field, and the server's default of 1 pod come in its place (istio#41481).
        """
        scaled = {item.ref for item in self.deployments if item.autoscaled}
        seen = (seen for seen in state.mesh_deployments if seen.ref in scaled and seen.replicas_applied)
        return tuple((item.ref, item.desired) for item in seen if item.desired > 1)


def desired_mesh(manifest: Sequence[dict[str, Any]], version: Version, operator: str) -> DesiredMesh:
    """Read Deployments, autoscalers, disruption budgets, gateway Services and the injector out of a manifest."""
    minimums = {
        (hpa["metadata"]["namespace"], hpa["spec"]["scaleTargetRef"]["name"]): int(hpa["spec"].get("minReplicas", 1))
        for hpa in _of_kind(manifest, "HorizontalPodAutoscaler")
    }
    budgets = {
        (pdb["metadata"]["namespace"], pdb["metadata"]["name"]): str(pdb["spec"].get("minAvailable", ""))
        for pdb in _of_kind(manifest, "PodDisruptionBudget")
    }
    deployments = []
    for item in _of_kind(manifest, "Deployment"):
        namespace, name = key = item["metadata"]["namespace"], item["metadata"]["name"]
        replicas = item["spec"].get("replicas")
        is_istiod = (item["metadata"].get("labels") or {}).get("app") == "istiod"
        deployments.append(
            DesiredDeployment(
                ref=ObjectRef("Deployment", namespace, name),
                component="istiod" if is_istiod else "gateway",
                minimum=0 if replicas == 0 else minimums.get(key, 1 if replicas is None else int(replicas)),
                budget=budgets.get(key, ""),
                autoscaled=replicas is None and key in minimums,
                proxy_image=_proxy_image(item),
            )
        )
    gateways = {(item.ref.namespace, item.ref.name) for item in deployments if item.component == "gateway"}
    services = tuple(
        DesiredService(
            ref=ObjectRef("Service", item["metadata"]["namespace"], item["metadata"]["name"]),
            type=str(item["spec"].get("type", "ClusterIP")),
            address=str((item["metadata"].get("annotations") or {}).get(_ADDRESS, "")),
        )
        for item in _of_kind(manifest, "Service")
        if (item["metadata"]["namespace"], item["metadata"]["name"]) in gateways
    )
    injector = next(
        (c for c in _of_kind(manifest, "ConfigMap") if c["metadata"]["name"] == "istio-sidecar-injector"), None
    )
    return DesiredMesh(version, operator, tuple(deployments), services, SidecarTemplate.from_injector(injector))


def _proxy_image(deployment: dict[str, Any]) -> str:
    containers = deployment["spec"]["template"]["spec"].get("containers") or ()
    image = next((str(item.get("image") or "") for item in containers if item.get("name") == "istio-proxy"), "")
    return "" if image == "auto" else image


def _of_kind(manifest: Sequence[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [item for item in manifest if item["kind"] == kind]
