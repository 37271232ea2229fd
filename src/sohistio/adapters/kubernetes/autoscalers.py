"""Adapter: how many pods HorizontalPodAutoscalers keep."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from sohistio.adapters.kubernetes.api import KubeApi
from sohistio.adapters.kubernetes.paths import collection_path
from sohistio.model.state import ObjectRef


@dataclass(frozen=True, slots=True)
class Autoscaled:
    """`minReplicas` and `maxReplicas` of each Deployment that has an autoscaler."""

    minimums: dict[ObjectRef, int] = field(default_factory=dict)
    maximums: dict[ObjectRef, int] = field(default_factory=dict)


def autoscaled(api: KubeApi, deployments: Collection[ObjectRef]) -> Autoscaled:
    """The autoscalers of these Deployments. Raises KubeError."""
    found = Autoscaled()
    for namespace in sorted({ref.namespace for ref in deployments}):
        for item in api.items(collection_path("HorizontalPodAutoscaler", namespace)):
            target = item["spec"]["scaleTargetRef"]
            ref = ObjectRef(target["kind"], namespace, target["name"])
            if ref in deployments:
                found.minimums[ref] = int(item["spec"].get("minReplicas", 1))
                found.maximums[ref] = int(item["spec"]["maxReplicas"])
    return found
