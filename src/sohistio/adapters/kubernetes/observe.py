"""Adapter: looks at a cluster and tells what it saw as a ClusterState. Reads only; the lists run side by side."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from sohistio.adapters.kubernetes.api import KubeApi, KubeError, Object
from sohistio.adapters.kubernetes.dry_injection import with_dry_runs
from sohistio.adapters.kubernetes.errors import understood
from sohistio.adapters.kubernetes.foreign import OPERATOR_DEFINITION, operator_resources
from sohistio.adapters.kubernetes.gateway_api import (
    CLASS_DEFINITION,
    gateway_api,
    has_routing_class,
    without_application_routing,
)
from sohistio.adapters.kubernetes.injection import changed_at, in_force_since, proxy_configs, started_at
from sohistio.adapters.kubernetes.mesh_state import state_of
from sohistio.adapters.kubernetes.paths import collection_path
from sohistio.adapters.kubernetes.slim import slimming
from sohistio.adapters.kubernetes.webhooks import LISTED as WEBHOOKS
from sohistio.model.revision import LABEL
from sohistio.model.sidecar import Injector, SidecarTemplate
from sohistio.model.state import ISTIO_NAMESPACE, ClusterState
from sohistio.system.parallel import workers

_CONFIG_MAPS = collection_path("ConfigMap", ISTIO_NAMESPACE)
_MAPS = f"ConfigMaps of {ISTIO_NAMESPACE}"
_VERSION, _ROOT, _OPERATORS, _CLASSES = "version", "the mesh's root certificate", "IstioOperators", "GatewayClasses"
_PROXY_CONFIGS = "ProxyConfigs"
# All at once: the answers of a server far away come one round trip later, not two.
_AT_ONCE = 16

# What is listed, by name; the name is what a user reads where a list cannot be had.
_LISTS: dict[str, tuple[str, str]] = {
    "Namespaces": ("/api/v1/namespaces", ""),
    "Deployments": ("/apis/apps/v1/deployments", ""),
    "StatefulSets": ("/apis/apps/v1/statefulsets", ""),
    "DaemonSets": ("/apis/apps/v1/daemonsets", ""),
    "ReplicaSets": ("/apis/apps/v1/replicasets", ""),
    "Pods": ("/api/v1/pods", ""),
    "PodDisruptionBudgets": ("/apis/policy/v1/poddisruptionbudgets", ""),
    "CustomResourceDefinitions": ("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", ""),
    "Services": ("/api/v1/services", ""),
    **{f"{kind}s": listed for kind, listed in WEBHOOKS.items()},
}


def observe(api: KubeApi, injected_soon: Collection[str] = (), *, dry_runs: bool = False) -> ClusterState:
    """Everything the planners need, in one look. What could not be read is in `unreadable`, never guessed.

    Workloads of namespaces that are `injected_soon` are looked at as well: a run may label them. With `dry_runs`, pods
    whose sidecar is in doubt are compared with what the mesh's webhook gives now.
    """
    nothing = ClusterState(server=api.server)

    def read(name: str) -> list[Object]:
        path, labels = _LISTS[name]
        # Of these nothing but the metadata matters: it is a fifth of their size.
        brief = name in ("ReplicaSets", "CustomResourceDefinitions")
        return api.items(path, labels=labels, metadata_only=brief, slim=slimming(name))

    # Of an installation's ConfigMaps the injector's and the mesh's, in one request.
    questions: dict[str, Callable[[], Any]] = {
        _VERSION: partial(api.request, "GET", "/version"),
        _MAPS: partial(api.items, _CONFIG_MAPS, labels=LABEL),
        _ROOT: partial(api.get, f"{_CONFIG_MAPS}/istio-ca-root-cert"),
        **{name: partial(read, name) for name in _LISTS},
    }
    if dry_runs:
        questions[_PROXY_CONFIGS] = partial(proxy_configs, api)
    found, unreadable = _answers(api.server, questions)
    if _VERSION not in found:  # who does not even say that answers nothing else either
        unreadable = unreadable[:1]
    if not unreadable:
        served = {item["metadata"]["name"] for item in found["CustomResourceDefinitions"]}
        rare: dict[str, Callable[[], Any]] = {}
        if OPERATOR_DEFINITION in served:
            rare[_OPERATORS] = partial(operator_resources, api)
        if CLASS_DEFINITION in served:
            rare[_CLASSES] = partial(has_routing_class, api)
        more, unreadable = _answers(api.server, rare)
        found |= more
    if unreadable:
        return replace(nothing, unreadable=tuple(unreadable))
    try:
        with understood(api.server):
            return _seen(api, found, injected_soon, dry_runs=dry_runs)
    except KubeError as error:
        return replace(nothing, unreadable=(_line(error),))


def _seen(api: KubeApi, found: Mapping[str, Any], injected_soon: Collection[str], *, dry_runs: bool) -> ClusterState:
    """The answers put together."""
    lists = {name: found[name] for name in _LISTS}
    maps = {item["metadata"]["name"]: item for item in found[_MAPS]}
    injector_map = maps.get("istio-sidecar-injector")
    injector = Injector.from_manifest(found[_MAPS])
    beside = max(changed_at(found.get(_PROXY_CONFIGS, ())), started_at(lists["ReplicaSets"]))
    changed = changed_at([injector_map])
    configured = max(changed, changed_at([maps.get("istio")]), beside)
    sidecar = SidecarTemplate.from_injector(injector_map, in_force_since(changed), changed=changed, live=True)
    state = replace(
        state_of(api.server, found[_VERSION], without_application_routing(lists), injected_soon),
        gateway_api=gateway_api(lists, found.get(_CLASSES, False)),
        sidecar=sidecar and replace(sidecar, configured=configured),
        injector=injector and replace(injector, beside=beside),
        ca_root=_fingerprint(found[_ROOT]),
        operator_resources=found.get(_OPERATORS, ()),
    )
    return with_dry_runs(api, state, lists["Pods"], in_force_since(configured)) if dry_runs else state


def _answers(server: str, questions: Mapping[str, Callable[[], Any]]) -> tuple[dict[str, Any], list[str]]:
    """What was answered, asked side by side, and a line for each question that was not, by its name."""
    found: dict[str, Any] = {}
    unreadable: list[str] = []
    with workers(_AT_ONCE) as pool:
        for name, future in [(name, pool.submit(ask)) for name, ask in questions.items()]:
            try:
                with understood(server):
                    found[name] = future.result()
            except KubeError as error:
                unreadable.append(_line(error) if name == _VERSION else f"{name}: {_line(error)}")
    return found, unreadable


def _line(error: KubeError) -> str:
    return ": ".join([error.what, *error.details])


def _fingerprint(root: Object | None) -> str:
    """SHA-256 of the mesh's root certificate as every namespace sees it; needs no right to read Secrets."""
    pem = ((root or {}).get("data") or {}).get("root-cert.pem", "")
    return hashlib.sha256(pem.strip().encode()).hexdigest() if pem else ""
