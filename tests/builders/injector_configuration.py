"""A configuration of an injector's webhooks as istioctl makes it, as it comes from the API server."""

from __future__ import annotations

from typing import Any

_NO_INJECTION = {"key": "istio-injection", "operator": "DoesNotExist"}
_UNLABELLED = [_NO_INJECTION, {"key": "istio.io/rev", "operator": "DoesNotExist"}]
# AKS adds this one to all (Admissions Enforcer).
_OF_AKS = {"key": "control-plane", "operator": "NotIn", "values": ["true"]}


def _in(key: str, value: str) -> dict[str, Any]:
    return {"key": key, "operator": "In", "values": [value]}


def injector_configuration(revision: str = "default", tag: str = "") -> dict[str, Any]:
    """`tag` where it is a revision tag's; the webhooks without a revision are the default's alone."""
    name = tag or revision
    selectors = {
        "rev.namespace": ([_in("istio.io/rev", name), _NO_INJECTION], []),
        "rev.object": (_UNLABELLED, [_in("istio.io/rev", name)]),
    }
    if name == "default":
        selectors |= {
            "namespace": ([_in("istio-injection", "enabled")], []),
            "object": (_UNLABELLED, [_in("sidecar.istio.io/inject", "true")]),
        }
    not_out = {"key": "sidecar.istio.io/inject", "operator": "NotIn", "values": ["false"]}
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"], "scope": "*"}
    labels = {"app": "sidecar-injector", "istio.io/rev": revision} | ({"istio.io/tag": tag} if tag else {})
    return {
        "metadata": {"name": f"istio-revision-tag-{tag}" if tag else "istio-sidecar-injector", "labels": labels},
        "webhooks": [
            {
                "name": f"{start}.sidecar-injector.istio.io",
                "namespaceSelector": {"matchExpressions": [*namespaces, _OF_AKS]},
                "objectSelector": {"matchExpressions": [*pods, not_out]},
                "rules": [rule],
            }
            for start, (namespaces, pods) in selectors.items()
        ],
    }
