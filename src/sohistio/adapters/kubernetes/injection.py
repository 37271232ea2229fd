"""Adapter: whether a new pod would get this mesh's sidecar, by the selectors of the webhooks of its istiod."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sohistio.adapters.kubernetes.api import KubeApi, KubeError, Object
from sohistio.model.revision import DEFAULT_REVISION, LABEL, Revision
from sohistio.model.selector import selector_matches
from sohistio.model.state import ISTIO_NAMESPACE

INJECTION = "istio-injection"
_REVISION, _INJECT = LABEL, "sidecar.istio.io/inject"
_PROXY_CONFIGS = "/apis/networking.istio.io/v1beta1/proxyconfigs"
_NAME = "kubernetes.io/metadata.name"
# Of these istiod injects no pod, whatever its labels (pkg/kube/inject, IgnoredNamespaces).
_NEVER = frozenset({"kube-system", "kube-public", "kube-node-lease", "local-path-storage"})


@dataclass(frozen=True, slots=True)
class Injector:
    """One webhook: a pod is injected where both LabelSelectors pick its namespace's and its own labels."""

    namespaces: Mapping[str, Any]
    pods: Mapping[str, Any]


def _selector(*expressions: tuple[str, str, str]) -> Mapping[str, Any]:
    found = [{"key": key, "operator": operator, "values": [value]} for key, operator, value in expressions]
    return {"matchExpressions": found}


_UNLABELLED = _selector((INJECTION, "DoesNotExist", ""), (_REVISION, "DoesNotExist", ""))
_NOT_OUT = (_INJECT, "NotIn", "false")
# What an install of revision default brings (charts/istio-control/istio-discovery, templates/mutatingwebhook.yaml).
_DEFAULT = (
    Injector(_selector((_REVISION, "In", DEFAULT_REVISION), (INJECTION, "DoesNotExist", "")), _selector(_NOT_OUT)),
    Injector(_UNLABELLED, _selector(_NOT_OUT, (_REVISION, "In", DEFAULT_REVISION))),
    Injector(_selector((INJECTION, "In", "enabled")), _selector(_NOT_OUT)),
    Injector(_UNLABELLED, _selector((_INJECT, "In", "true"), (_REVISION, "DoesNotExist", ""))),
)


def injectors_of(configurations: Iterable[Object], revision: Revision = DEFAULT_REVISION) -> tuple[Injector, ...]:
    """The webhooks of MutatingWebhookConfigurations that lead to this mesh: its own, and those of its revision tags.

    Where none of them is the default's, before an install say, what an install brings is added.
    """
    found = tuple(
        Injector(hook.get("namespaceSelector") or {}, hook.get("objectSelector") or {})
        for item in configurations
        if (item["metadata"].get("labels") or {}).get(_REVISION) == revision
        for hook in item.get("webhooks") or ()
        if _leads_here(hook)
    )
    return found if injects(found, {INJECTION: "enabled"}) else (*found, *_DEFAULT)


# istiod watches its ConfigMaps, and has a change within seconds; one that is cut off from the API server has it later.
_SETTLED = timedelta(minutes=10)


def in_force_since(changed: str) -> str:
    """When every istiod had for certain what changed then, as ISO 8601; empty where nothing tells."""
    return f"{datetime.fromisoformat(changed) + _SETTLED:%Y-%m-%dT%H:%M:%SZ}" if changed else ""


def changed_at(items: Iterable[Object | None]) -> str:
    """When somebody wrote to one of these last, other than its status, as ISO 8601; empty where nothing tells."""
    entries = (entry for item in items if item for entry in item["metadata"].get("managedFields") or ())
    return max((str(entry.get("time", "")) for entry in entries if not entry.get("subresource")), default="")


def started_at(replica_sets: Iterable[Object]) -> str:
    """Since when istiod runs as it does, environment and all: the newest of its ReplicaSets, as ISO 8601."""
    found = (item["metadata"] for item in replica_sets if item["metadata"].get("namespace") == ISTIO_NAMESPACE)
    own = (metadata for metadata in found if (metadata.get("labels") or {}).get("app") == "istiod")
    return max((str(metadata.get("creationTimestamp", "")) for metadata in own), default="")


def proxy_configs(api: KubeApi) -> list[Object]:
    """The metadata of all ProxyConfigs, which have a say in what is injected; none where nobody may list them, or the
    cluster does not know them.
    """
    try:
        return api.items(_PROXY_CONFIGS, metadata_only=True)
    except KubeError as error:
        if error.status in (403, 404):
            return []
        raise


def _leads_here(hook: Object) -> bool:
    service = (hook.get("clientConfig") or {}).get("service")
    return service is None or service.get("namespace") == ISTIO_NAMESPACE


def injects(injectors: Iterable[Injector], namespace: Mapping[str, str], pod: Mapping[str, str] | None = None) -> bool:
    """Whether one of them takes a pod with these labels (None: without any) in a namespace with those."""
    if namespace.get(_NAME) in _NEVER:
        return False
    return any(
        selector_matches(injector.namespaces, namespace) and selector_matches(injector.pods, pod or {})
        for injector in injectors
    )
