"""Adapter: Istio's custom resources, all kinds that the cluster serves; for backups and to see that none was lost."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from sohistio.cluster.kube import KubeApi, Object
from sohistio.state import ObjectRef

_GROUP_SUFFIX = ".istio.io"
# istioctl's own kind: no configuration of the mesh, and gone with its in-cluster operator.
_NOT_CONFIGURATION = frozenset({"install.istio.io"})


def custom_resources(api: KubeApi) -> list[Object]:
    """Every VirtualService, Gateway, AuthorizationPolicy, … with apiVersion and kind, sorted by kind and name.

    Raises KubeError where one kind cannot be listed: a part of them would be taken for all.
    """
    kinds: list[tuple[str, str, str]] = []
    for group in api.request("GET", "/apis")["groups"]:
        if group["name"].endswith(_GROUP_SUFFIX) and group["name"] not in _NOT_CONFIGURATION:
            version = group["preferredVersion"]["groupVersion"]
            resources = api.request("GET", f"/apis/{version}")["resources"]
            kinds += [(version, item["kind"], item["name"]) for item in resources if "/" not in item["name"]]

    def listed(kind: tuple[str, str, str]) -> list[Object]:
        version, name, plural = kind
        return [{"apiVersion": version, "kind": name} | item for item in api.items(f"/apis/{version}/{plural}")]

    with ThreadPoolExecutor(max_workers=8) as pool:
        found = [item for items in pool.map(listed, sorted(kinds)) for item in items]
    return sorted(
        found, key=lambda item: (item["kind"], item["metadata"].get("namespace", ""), item["metadata"]["name"])
    )


def digests(resources: list[Object]) -> Mapping[ObjectRef, str]:
    """SHA-256 of what somebody wrote into each (labels, annotations, spec): not of status, nor of the API's version."""
    return {
        _ref(item): hashlib.sha256(json.dumps(written(item), sort_keys=True).encode()).hexdigest() for item in resources
    }


def _ref(item: Object) -> ObjectRef:
    return ObjectRef(item["kind"], item["metadata"].get("namespace", ""), item["metadata"]["name"])


def written(item: Object) -> list[object]:
    """What somebody wrote into an object, in a form that compares."""
    metadata = item["metadata"]
    return [metadata.get("labels") or {}, metadata.get("annotations") or {}, item.get("spec")]
