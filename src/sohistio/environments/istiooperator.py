"""The one IstioOperator of an environment: its files checked, laid over each other, and rendered for istioctl.

istioctl replaces lists such as `ingressGateways` across files and says no line for a misspelt key, so the files are
merged here, gateways by name, and istioctl gets a single document.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sohistio.environments.caller_addresses import sees_callers
from sohistio.environments.layers import merge
from sohistio.environments.yaml_files import Document, Key, Problem, unknown_key
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

# The keys of Istio's operator API (operator/pkg/apis/types.go and values_types.proto), without those of _OWNED.
_ROOT = frozenset({"apiVersion", "kind", "spec"})
_SPEC = frozenset({"profile", "compatibilityVersion", "meshConfig", "components", "values", "unvalidatedValues"})
_COMPONENTS = frozenset({"base", "pilot", "cni", "ztunnel", "ingressGateways", "egressGateways"})
_COMPONENT = frozenset({"enabled", "namespace", "k8s"})
_GATEWAY = _COMPONENT | {"name", "label"}
# fmt: off
_K8S = frozenset({
    "affinity", "env", "hpaSpec", "imagePullPolicy", "nodeSelector", "podDisruptionBudget", "podAnnotations",
    "priorityClassName", "readinessProbe", "replicaCount", "resources", "service", "strategy", "tolerations",
    "serviceAnnotations", "securityContext", "volumes", "volumeMounts", "overlays",
})
_VALUES = frozenset({
    "cni", "gateways", "global", "pilot", "ztunnel", "telemetry", "sidecarInjectorWebhook", "ownerName",
    "meshConfig", "base", "revisionTags", "defaultRevision", "profile", "compatibilityVersion", "experimental",
    "gatewayClasses",
})
# fmt: on
_OWNED: Mapping[Key, str] = {
    ("metadata",): f"is not set here: it is always in {NAMESPACE}",
    ("spec", "namespace"): f"is not set here: it is always {NAMESPACE}",
    ("spec", "hub"): "is set by istio.hub in environment.yaml",
    ("spec", "tag"): "is set by istio.version in environment.yaml",
    ("spec", "revision"): "is not supported: upgrades are done in place, in the default revision",
    ("spec", "installPackagePath"): "is not supported: the charts are those of istioctl",
    ("spec", "values", "revision"): "is not supported: upgrades are done in place, in the default revision",
    ("spec", "values", "global", "hub"): "is set by istio.hub in environment.yaml",
    ("spec", "values", "global", "tag"): "is set by istio.version in environment.yaml",
    ("spec", "values", "global", "imagePullSecrets"): "is set by istio.pullSecret in environment.yaml",
    ("spec", "values", "global", "istioNamespace"): f"is not set here: it is always {NAMESPACE}",
}
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


def check_operator(document: Document, base: Document | None = None) -> list[Problem]:
    """What is wrong with an IstioOperator file; `base` is the file that it is laid over, if there is one.

    Looks at the structure down to a component's `k8s` and the first level of `values`; istioctl itself is strict
    about what is below.
    """
    problems = [
        document.problem((name,), f"expected {expected}, got {document.data[name]!r}")
        for name, expected in (("apiVersion", API_VERSION), ("kind", "IstioOperator"))
        if document.data.get(name, expected) != expected
    ]
    problems += [document.problem(key, text) for key, text in _OWNED.items() if key in document.lines]
    for key, known in _places(document):
        value = _at(document.data, key)
        if not isinstance(value, dict):
            problems.append(document.problem(key, "expected keys and values"))
            continue
        for name in value:
            if name not in known and (*key, name) not in _OWNED:
                problems.append(document.problem((*key, name), unknown_key(name, known)))
    for list_name in GATEWAY_LISTS:
        problems += _check_gateways(document, ("spec", "components", list_name), base)
    return problems


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


def _places(document: Document) -> Iterator[tuple[Key, frozenset[str]]]:
    """The maps of the file whose keys are known, with those keys."""
    yield (), _ROOT
    places: list[tuple[Key, frozenset[str]]] = [
        (("spec",), _SPEC),
        (("spec", "components"), _COMPONENTS),
        (("spec", "values"), _VALUES),
    ]
    places += [(("spec", "components", name), _COMPONENT) for name in _COMPONENTS - set(GATEWAY_LISTS)]
    for list_name in GATEWAY_LISTS:
        items = _at(document.data, ("spec", "components", list_name))
        if isinstance(items, list):
            places += [(("spec", "components", list_name, index), _GATEWAY) for index in range(len(items))]
    places += [((*key, "k8s"), _K8S) for key, known in places if known in (_COMPONENT, _GATEWAY)]
    yield from (place for place in places if place[0] in document.lines)


def _check_gateways(document: Document, key: Key, base: Document | None) -> Iterator[Problem]:
    items = _at(document.data, key)
    if key not in document.lines:
        return
    if not isinstance(items, list):
        yield document.problem(key, "expected a list of gateways, each with a name")
        return
    base_items = _at(base.data, key) if base else None
    known = [item["name"] for item in base_items or [] if isinstance(item, dict) and "name" in item]
    seen: set[str] = set()
    for index, item in enumerate(items):
        name = item.get("name") if isinstance(item, dict) else None
        if not isinstance(name, str):
            yield document.problem((*key, index), "expected a gateway with a name")
            continue
        if name in seen:
            yield document.problem((*key, index), f"the gateway {name} is given twice")
        seen.add(name)
        if not isinstance(item.get("namespace", ""), str):
            yield document.problem((*key, index, "namespace"), "expected the name of a namespace")
        if not isinstance(item.get("enabled", True), bool):
            yield document.problem((*key, index, "enabled"), "expected true or false")
        if base and name not in known and "enabled" not in item:
            text = unknown_key(name, known).replace("unknown key", "unknown gateway").replace("keys", "gateways")
            yield document.problem((*key, index, "name"), f"{text} (a new gateway needs `enabled: true`)")


def _at(data: Any, key: Key) -> Any:
    for part in key:
        if isinstance(part, int):
            data = data[part] if isinstance(data, list) and part < len(data) else None
        else:
            data = data.get(part) if isinstance(data, dict) else None
    return data


def _in_order(value: Any) -> Any:
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: (_FIRST.index(name) if name in _FIRST else len(_FIRST), name))
        return {name: _in_order(value[name]) for name in names}
    return [_in_order(item) for item in value] if isinstance(value, list) else value
