"""Takes istioctl's labels off the gateways' objects, so that an uninstall leaves them (and their addresses) alone.

The next install finds them by name and puts its labels back: same UID, same address.
"""

from __future__ import annotations

from collections.abc import Sequence

from sohistio.cluster.kube import KubeApi

_KINDS = (
    ("/api/v1", "services"),
    ("/api/v1", "serviceaccounts"),
    ("/apis/apps/v1", "deployments"),
    ("/apis/autoscaling/v2", "horizontalpodautoscalers"),
    ("/apis/policy/v1", "poddisruptionbudgets"),
    ("/apis/rbac.authorization.k8s.io/v1", "roles"),
    ("/apis/rbac.authorization.k8s.io/v1", "rolebindings"),
)
_GATEWAYS = "operator.istio.io/component in (IngressGateways,EgressGateways)"


def release_gateways(api: KubeApi, labels: Sequence[str]) -> None:
    """Remove `labels` from every object of the gateways."""
    for base, plural in _KINDS:
        # `istioctl uninstall` looks in every namespace, and a gateway may live in one of its own.
        for item in api.items(f"{base}/{plural}", labels=_GATEWAYS, metadata_only=True):
            nothing: dict[str, None] = dict.fromkeys(labels)
            path = f"{base}/namespaces/{item['metadata']['namespace']}/{plural}/{item['metadata']['name']}"
            api.merge_patch(path, {"metadata": {"labels": nothing}})
