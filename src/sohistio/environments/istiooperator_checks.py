"""What is wrong with an IstioOperator file: unknown keys, what the environment decides, gateways without a name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sohistio.environments.istiooperator import API_VERSION, GATEWAY_LISTS, NAMESPACE
from sohistio.environments.yaml_files import Document, Key, Problem, unknown_key

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
_MAPS: tuple[Key, ...] = (
    ("spec", "meshConfig"),
    *(("spec", "values", name) for name in ("global", "pilot", "gateways", "sidecarInjectorWebhook")),
    *(("spec", "values", "gateways", f"istio-{kind}gateway") for kind in GATEWAY_LISTS.values()),
)


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
    problems += _check_shapes(document)
    for list_name in GATEWAY_LISTS:
        problems += _check_gateways(document, ("spec", "components", list_name), base)
    return problems


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


def _check_shapes(document: Document) -> Iterator[Problem]:
    """What is read or extended here, and may have any keys: it must be a map, or a list, if it is there."""
    inside = [key for key, known in _places(document) if known is _K8S]
    maps = [*_MAPS, *((*key, "hpaSpec") for key in inside)]
    lists = [(*key, name) for key in inside for name in ("overlays", "env")]
    for key in (*maps, *lists):
        kind, words = (dict, "keys and values") if key in maps else (list, "a list")
        if key in document.lines and not isinstance(_at(document.data, key), kind | None):
            yield document.problem(key, f"expected {words}")


def _check_gateways(document: Document, key: Key, base: Document | None) -> Iterator[Problem]:
    items = _at(document.data, key)
    if key not in document.lines:
        return
    if not isinstance(items, list):
        yield document.problem(key, "expected a list of gateways, each with a name")
        return
    base_items = _at(base.data, key) if base else None
    named = [item.get("name") for item in base_items if isinstance(item, dict)] if isinstance(base_items, list) else []
    known = [name for name in named if isinstance(name, str)]
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
