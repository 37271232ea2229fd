"""Adapter: a new pod of a workload, as its controller would make it, asked for in a dry run."""

from __future__ import annotations

from sohistio.adapters.kubernetes.api import KubeApi, KubeError, Object
from sohistio.model.refused_pod import Refusal, refusal_of
from sohistio.model.state import Workload

# Webhooks have 10 s by default.
_SECONDS = 12
# What controllers set on the pods they make, and policies may ask for.
_OF_CONTROLLERS = ("pod-template-hash", "controller-revision-hash")
_MOST_SAMPLES = 3


def _new_pod(workload: Workload, sample: Object) -> Object:
    """A raw pod of the workload's template; what only its controller knows is that of a raw `sample` of its pods."""
    template, metadata = workload.template, workload.template.get("metadata") or {}
    owners = [
        {key: value for key, value in owner.items() if key != "blockOwnerDeletion"}
        for owner in sample["metadata"].get("ownerReferences") or ()
    ]
    hashes = {k: v for k, v in (sample["metadata"].get("labels") or {}).items() if k in _OF_CONTROLLERS}
    spec = dict(template["spec"])
    given = {volume["name"] for volume in spec.get("volumes") or ()}
    claims = [  # a StatefulSet's own volumes are not in its template
        volume
        for volume in sample["spec"].get("volumes") or ()
        if "persistentVolumeClaim" in volume and volume["name"] not in given
    ]
    if claims:
        spec["volumes"] = [*(spec.get("volumes") or ()), *claims]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "generateName": f"{workload.ref.name[:50]}-",
            "labels": {**(metadata.get("labels") or {}), **hashes},
            "annotations": metadata.get("annotations") or {},
            "ownerReferences": owners,
        },
        "spec": spec,
    }


def dry_run(api: KubeApi, workload: Workload, sample: Object) -> Object | Refusal:
    """A new pod of the workload as it would start now, or why there would be none. Nothing is written."""
    place = f"/api/v1/namespaces/{workload.ref.namespace}/pods"
    try:
        return api.within(_SECONDS).request("POST", place, query={"dryRun": "All"}, body=_new_pod(workload, sample))
    except KubeError as error:
        return refusal_of(error.status, ": ".join((error.what, *error.details)))


def refused_now(api: KubeApi, workload: Workload) -> str:
    """Why a restart would bring no new pod of it up at this moment; empty where it would, or nobody can tell."""
    place = f"/api/v1/namespaces/{workload.ref.namespace}/pods"
    try:
        samples = (api.get(f"{place}/{pod.name}") for pod in workload.pods[:_MOST_SAMPLES])
        sample = next(filter(None, samples), None)
    except KubeError:
        return ""
    found = dry_run(api, workload, sample) if sample else None
    return found.words if isinstance(found, Refusal) and found.stops(workload.max_unavailable) else ""
