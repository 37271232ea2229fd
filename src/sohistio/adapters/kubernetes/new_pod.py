"""Adapter: a new pod of a workload, as its controller would make it, asked for in a dry run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sohistio.adapters.kubernetes.api import KubeApi, KubeError, Object
from sohistio.adapters.kubernetes.paths import path_of
from sohistio.model.refused_pod import Refusal, plainly, refusal_of
from sohistio.model.state import ObjectRef, Workload

# Webhooks have 10 s by default.
_SECONDS = 12
# What controllers set on the pods they make, and policies may ask for.
_OF_CONTROLLERS = ("pod-template-hash", "controller-revision-hash")
_MOST_SAMPLES = 3


def _new_pod(name: str, template: Mapping[str, Any], sample: Object) -> Object:
    """A raw pod of a workload's template; what only its controller knows is that of a raw `sample` of its pods."""
    metadata = template.get("metadata") or {}
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
            "generateName": f"{name[:50]}-",
            "labels": {**(metadata.get("labels") or {}), **hashes},
            "annotations": metadata.get("annotations") or {},
            "ownerReferences": owners,
        },
        "spec": spec,
    }


def dry_run(api: KubeApi, workload: Workload, sample: Object) -> Object | Refusal:
    """A new pod of the workload as it would start now, or why there would be none. Nothing is written."""
    return _asked(api, workload.ref, workload.template, sample)


def deployment_refused(api: KubeApi, ref: ObjectRef, sample: Object) -> Refusal | None:
    """What speaks against a new pod of a Deployment as it is now; None where the API server takes one.

    None, too, where there is no such Deployment. Raises KubeError where the Deployment cannot be read.
    """
    live = api.get(path_of(ref))
    found = _asked(api, ref, live["spec"]["template"], sample) if live else None
    return found if isinstance(found, Refusal) else None


def _asked(api: KubeApi, ref: ObjectRef, template: Mapping[str, Any], sample: Object) -> Object | Refusal:
    place, body = f"/api/v1/namespaces/{ref.namespace}/pods", _new_pod(ref.name, template, sample)
    try:
        return api.within(_SECONDS).request("POST", place, query={"dryRun": "All"}, body=body)
    except KubeError as error:
        refusal, said = refusal_of(error.status, ": ".join((error.what, *error.details))), ": ".join(error.details)
        return replace(refusal, said=plainly(said) or error.what)


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
