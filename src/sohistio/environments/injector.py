"""The injector's own webhooks while istioctl applies an IstioOperator: no pod is refused, none injected twice."""

from __future__ import annotations

from typing import Any

from sohistio.environments.yaml_files import to_yaml
from sohistio.model.webhooks import INJECTOR, MUTATING, NEVER

# The webhooks of the injector that istioctl renders (charts/istio-control/istio-discovery, mutatingwebhook.yaml).
_HOOKS = ("rev.namespace", "rev.object", "namespace", "object")
_FOR_ALL = "auto"
_SUFFIX = "sidecar-injector.istio.io"


def with_injector(operator: str, *, opened: bool, parked: bool) -> str:
    """The IstioOperator (YAML) as istioctl is to apply it, with the injector's own webhooks as they may be meanwhile.

    `opened`: with `failurePolicy: Ignore`. istioctl applies them before the Service and the ServiceAccount of istiod
    (by the names of the charts' files), and waits for istiod afterwards. A run that is killed in between would leave
    webhooks that refuse every pod. Once istiod is ready istioctl makes those of the default tag, with Fail, and parks
    these: so it ends as without the patch.

    `parked`: matching nothing, as istioctl leaves them, where the default tag's serve all the time. istioctl would have
    them match while istiod rolls out, beside the tag's: then two istiods of different versions inject one pod, which
    is refused where one makes the proxy a container and the other an init container.
    """
    import yaml

    if not (opened or parked):
        return operator
    document: dict[str, Any] = yaml.safe_load(operator)
    spec = _in(document, "spec")
    values = (spec.get("values") or {}).get("sidecarInjectorWebhook") or {}
    hooks = (*_HOOKS, _FOR_ALL) if values.get("enableNamespacesByDefault") else _HOOKS
    fields: dict[str, Any] = {"failurePolicy": "Ignore"} if opened else {}
    if parked:
        fields |= dict.fromkeys(("namespaceSelector", "objectSelector"), NEVER)
    # Dots are escaped: a path is split at them, in brackets too (operator/pkg/util/path.go).
    names = [f"{hook}.{_SUFFIX}".replace(".", "\\.") for hook in hooks]
    patches = [
        {"path": f"webhooks.[name:{name}].{field}", "value": value} for name in names for field, value in fields.items()
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
