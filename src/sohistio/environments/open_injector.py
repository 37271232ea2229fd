"""An IstioOperator whose injector lets pods start while no istiod answers yet."""

from __future__ import annotations

from typing import Any

from sohistio.environments.yaml_files import to_yaml
from sohistio.model.webhooks import INJECTOR, MUTATING

# The webhooks of the injector that istioctl renders (charts/istio-control/istio-discovery, mutatingwebhook.yaml).
_HOOKS = ("rev.namespace", "rev.object", "namespace", "object")
_FOR_ALL = "auto"
_SUFFIX = "sidecar-injector.istio.io"


def with_open_injector(operator: str) -> str:
    """The IstioOperator (YAML) with `failurePolicy: Ignore` for the injector's own webhooks.

    istioctl applies them before the Service and the ServiceAccount of istiod (by the names of the charts' files), and
    waits for istiod afterwards. A run that is killed in between would leave webhooks that refuse every pod. Once istiod
    is ready istioctl makes those of the default tag, with Fail, and parks these: so it ends as without the patch.
    """
    import yaml

    document: dict[str, Any] = yaml.safe_load(operator)
    spec = _in(document, "spec")
    values = (spec.get("values") or {}).get("sidecarInjectorWebhook") or {}
    hooks = (*_HOOKS, _FOR_ALL) if values.get("enableNamespacesByDefault") else _HOOKS
    patches = [
        # Dots are escaped: a path is split at them, in brackets too (operator/pkg/util/path.go).
        {"path": "webhooks.[name:{}].failurePolicy".format(f"{hook}.{_SUFFIX}".replace(".", "\\.")), "value": "Ignore"}
        for hook in hooks
    ]
    k8s = _in(_in(_in(spec, "components"), "pilot"), "k8s")
    kind = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": MUTATING}
    k8s["overlays"] = [*(k8s.get("overlays") or ()), {**kind, "name": INJECTOR, "patches": patches}]
    return to_yaml(document)


def _in(parent: dict[str, Any], key: str) -> dict[str, Any]:
    """The mapping at a key, made where there is none."""
    parent[key] = parent.get(key) or {}
    found: dict[str, Any] = parent[key]
    return found
