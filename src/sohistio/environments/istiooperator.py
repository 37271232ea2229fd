"""The one IstioOperator of an environment: its files laid over each other, and rendered for istioctl.

istioctl replaces lists such as `ingressGateways` across files and says no line for a misspelt key, so the files are
merged here, gateways by name, and istioctl gets a single document.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sohistio.environments.caller_addresses import sees_callers
from sohistio.environments.layers import merge
from sohistio.model.policy import GatewayPlace
from sohistio.model.state import ObjectRef
from sohistio.model.versions import Version

API_VERSION = "install.istio.io/v1alpha1"
NAMESPACE = "istio-system"
# istioctl prunes what has the version of an install and is not in its manifest. Only with a name does it spare what
# another IstioOperator put there (`getOwnerLabels`, operator/pkg/install/install.go).
OWNER = "sohistio"
INGRESS_GATEWAY = "istio-ingressgateway"
"""The gateway that has the environment's address."""

_ADDRESS = "service.beta.kubernetes.io/azure-load-balancer-ipv4"
GATEWAY_LISTS: Mapping[str, Literal["ingress", "egress"]] = {"ingressGateways": "ingress", "egressGateways": "egress"}
"""The lists of gateways below spec.components, and what they are."""

# fmt: off
_FIRST = (
    "apiVersion", "kind", "metadata", "spec", "profile", "hub", "tag", "compatibilityVersion", "meshConfig",
    "components", "base", "pilot", "cni", "ztunnel", "ingressGateways", "egressGateways", "name", "namespace",
    "enabled", "label", "k8s", "replicaCount",
)
# fmt: on


@dataclass(frozen=True, slots=True)
class Gateway:
    """An enabled gateway: the name of its Deployment, Service, HPA and PDB, and where they are.

    `least` is the least number of pods that the IstioOperator asks for. `sees_callers` is whether the addresses of
    requests are their callers': with externalTrafficPolicy Cluster, the default, they are nodes'.
    """

    name: str
    namespace: str
    kind: Literal["ingress", "egress"]
    least: int = 1
    sees_callers: bool = False

    @property
    def deployment(self) -> ObjectRef:
        """Its Deployment."""
        return ObjectRef("Deployment", self.namespace, self.name)


def merge_operator(base: Mapping[str, Any], overlay: Mapping[str, Any]) -> dict[str, Any]:
    """The overlay laid on the base, gateways and other named items by their names."""
    return merge(base, overlay, by_name=True)


def gateways_of(operator: Mapping[str, Any]) -> tuple[Gateway, ...]:
    """The gateways that a merged IstioOperator turns on, ingress first."""
    components = operator.get("spec", {}).get("components", {})
    return tuple(
        Gateway(
            item["name"], item.get("namespace", NAMESPACE), kind, _least_pods(operator, item, kind), sees_callers(item)
        )
        for list_name, kind in GATEWAY_LISTS.items()
        for item in components.get(list_name, [])
        if item.get("enabled", True)
    )


def place_of(operator: Mapping[str, Any], gateway: Gateway) -> GatewayPlace:
    """Where a gateway is, and the labels of its pods that Gateways select: what the charts give it, or its own."""
    components = operator.get("spec", {}).get("components", {})
    items = components.get(f"{gateway.kind}Gateways", [])
    own = next((item.get("label") for item in items if item["name"] == gateway.name), None)
    labels = own if isinstance(own, dict) and own else {"istio": f"{gateway.kind}gateway"}
    return GatewayPlace(gateway.name, gateway.namespace, tuple(sorted(labels.items())))


def _least_pods(operator: Mapping[str, Any], item: Mapping[str, Any], kind: str) -> int:
    """As Istio's charts have it: a component's `hpaSpec` wins over `values`, which have one key for each kind."""
    values = ((operator.get("spec", {}).get("values") or {}).get("gateways") or {}).get(f"istio-{kind}gateway") or {}
    component = item.get("k8s") or {}
    if values.get("autoscaleEnabled") is False:
        found = component.get("replicaCount", 1)
    else:
        found = (component.get("hpaSpec") or {}).get("minReplicas") or values.get("autoscaleMin", 1)
    return found if isinstance(found, int) and found > 0 else 1


def render_operator(
    operator: Mapping[str, Any],
    version: Version,
    *,
    hub: str,
    pull_secret: str | None,
    ingress_address: str | None,
    gateways_off: bool,
) -> dict[str, Any]:
    """The IstioOperator for istioctl, its keys in a fixed order.

    Gateways that are off have 0 replicas whatever the files say. That is `k8s.replicaCount`, because the charts take
    `values.gateways.*.replicaCount: 0` for not given; the HPA stays, and is idle at 0.
    """
    secrets = {"imagePullSecrets": [pull_secret]} if pull_secret else {}
    set_by_environment = {
        "apiVersion": API_VERSION,
        "kind": "IstioOperator",
        "metadata": {"name": OWNER, "namespace": NAMESPACE},
        "spec": {"hub": hub, "tag": str(version), "components": {}, "values": {"global": secrets}},
    }
    document = merge(operator, set_by_environment)
    for list_name in GATEWAY_LISTS:
        for gateway in document["spec"]["components"].get(list_name, []):
            k8s: dict[str, Any] = {"replicaCount": 0} if gateways_off else {}
            if gateway["name"] == INGRESS_GATEWAY and ingress_address:
                k8s["serviceAnnotations"] = {_ADDRESS: ingress_address}
            gateway.update(merge(gateway, {"k8s": k8s}))
    if not document["spec"]["values"]["global"]:
        del document["spec"]["values"]["global"]
    return _in_order(document)  # type: ignore[no-any-return]


def with_values(operator: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """A rendered IstioOperator with these values laid over its own."""
    return _in_order(merge(operator, {"spec": {"values": values}} if values else {}))  # type: ignore[no-any-return]


def _in_order(value: Any) -> Any:
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: (_FIRST.index(name) if name in _FIRST else len(_FIRST), name))
        return {name: _in_order(value[name]) for name in names}
    return [_in_order(item) for item in value] if isinstance(value, list) else value
