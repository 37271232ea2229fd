"""Adapter: the ReplicaSets of a Deployment, as far as a rollout that was stopped goes back."""

from __future__ import annotations

from sohistio.adapters.kubernetes.api import KubeApi, Object
from sohistio.adapters.kubernetes.paths import path_of
from sohistio.model.state import ObjectRef

_REVISION = "deployment.kubernetes.io/revision"


def take_newest_pods_back(api: KubeApi, ref: ObjectRef) -> None:
    """Scale the newest ReplicaSet of a paused Deployment to 0, so that its controller fills up the one before it.

    Nothing is done where there is none before it. Raises KubeError.
    """
    deployment = api.get(path_of(ref))
    if deployment is None:
        return
    uid, place = deployment["metadata"]["uid"], f"/apis/apps/v1/namespaces/{ref.namespace}/replicasets"
    own = [
        item for item in api.items(place) if any(o["uid"] == uid for o in item["metadata"].get("ownerReferences", ()))
    ]
    with_pods = sorted((item for item in own if item["spec"].get("replicas")), key=_revision)
    if len(with_pods) > 1:
        api.merge_patch(f"{place}/{with_pods[-1]['metadata']['name']}", {"spec": {"replicas": 0}})


def _revision(replica_set: Object) -> int:
    return int((replica_set["metadata"].get("annotations") or {}).get(_REVISION, 0))
