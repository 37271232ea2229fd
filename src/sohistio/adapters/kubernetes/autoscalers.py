"""Adapter: the least numbers of pods that HorizontalPodAutoscalers keep."""

from __future__ import annotations

from collections.abc import Collection

from sohistio.adapters.kubernetes.api import KubeApi
from sohistio.adapters.kubernetes.paths import collection_path
from sohistio.model.state import ObjectRef


def minimums(api: KubeApi, deployments: Collection[ObjectRef]) -> dict[ObjectRef, int]:
    """`minReplicas` of each Deployment that has an autoscaler. Raises KubeError."""
    found = {}
    for namespace in sorted({ref.namespace for ref in deployments}):
        for item in api.items(collection_path("HorizontalPodAutoscaler", namespace)):
            target = item["spec"]["scaleTargetRef"]
            ref = ObjectRef(target["kind"], namespace, target["name"])
            if ref in deployments:
                found[ref] = int(item["spec"].get("minReplicas", 1))
    return found
