"""Adapter: what keeps objects that were deleted: their finalizers, and what those wait for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sohistio.adapters.kubernetes.api import KubeApi, KubeError, Object
from sohistio.adapters.kubernetes.ending import ending_of, is_ending
from sohistio.adapters.kubernetes.paths import path_of
from sohistio.model.ending import described
from sohistio.model.selector import selector_matches
from sohistio.model.state import ObjectRef
from sohistio.model.words import first_lines

MOST_LINES = 12
_OF_A_NAMESPACE = ("NamespaceContentRemaining", "NamespaceFinalizersRemaining", "NamespaceDeletionContentFailure")


def why_still_there(api: KubeApi, refs: Sequence[ObjectRef]) -> tuple[str, ...]:
    """A line for each object that is there, and below it what its finalizers wait for.

    Reading what is wrong must never make things worse: an error here is one of the lines.
    """
    found: list[str] = []
    try:
        for ref in refs:
            item = api.get(path_of(ref))
            if item is not None:
                state = described(ending_of(item, ref)) if is_ending(item) else f"{ref} is not being deleted (any more)"
                found += [state, *(f"  {line}" for line in _waits_for(api, item, ref.kind))]
    except KubeError as error:
        found.append(error.what)
    return first_lines(found, MOST_LINES, "lines")


def _waits_for(api: KubeApi, item: Object, kind: str) -> Iterator[str]:
    match kind:
        case "CustomResourceDefinition":
            yield from _instances(api, item)
        case "Namespace":
            for condition in (item.get("status") or {}).get("conditions") or ():
                if condition["type"] in _OF_A_NAMESPACE and condition["status"] == "True":
                    yield str(condition.get("message", condition["type"]))
        case "Deployment" | "DaemonSet":
            yield from _pods(api, item)


def _instances(api: KubeApi, definition: Object) -> Iterator[str]:
    """The objects of a CRD that finalizers hold."""
    spec = definition["spec"]
    version = next(version["name"] for version in spec["versions"] if version["storage"])
    path = f"/apis/{spec['group']}/{version}/{spec['names']['plural']}"
    for item in api.items(path, metadata_only=True):
        metadata = item["metadata"]
        if metadata.get("finalizers"):
            ref = ObjectRef(spec["names"]["kind"], metadata.get("namespace", ""), metadata["name"])
            yield described(ending_of(item, ref))


def _pods(api: KubeApi, owner: Object) -> Iterator[str]:
    """Pods that have not ended yet."""
    for pod in api.items(f"/api/v1/namespaces/{owner['metadata']['namespace']}/pods"):
        metadata = pod["metadata"]
        if selector_matches(owner["spec"]["selector"], metadata.get("labels") or {}):
            held = metadata.get("finalizers")
            ref = ObjectRef("Pod", metadata["namespace"], metadata["name"])
            yield described(ending_of(pod, ref)) if held else f"{ref} has not ended yet"
