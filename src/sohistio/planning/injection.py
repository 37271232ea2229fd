"""What another injector configuration will change in sidecars that keep their image: istioctl's injection, offline.

The webhook is still the old istiod's, so it cannot be asked. Both configurations inject the same templates, the one in
the cluster and the one of the target's manifest, with the target's istioctl: their difference is what will change.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sohistio.adapters.kubernetes.api import Object
from sohistio.adapters.kubernetes.manifest import read_manifest
from sohistio.errors import FailedError
from sohistio.model.desired import DesiredMesh
from sohistio.model.injected import Change, changes, injected_view
from sohistio.model.sidecar import Foreseen, Injector, is_same_image
from sohistio.model.staleness import expected_image, template_key
from sohistio.model.state import ClusterState, ObjectRef, Workload
from sohistio.system.parallel import side_by_side

_Object = Mapping[str, Any]
Inject = Callable[[str, Injector], str]
"""Pods (YAML documents) as an injector changes them. Raises FailedError."""
# istioctl takes about 7 ms a pod; a run of it must end well within its deadline, on a busy machine too.
_AT_ONCE, _RUNS = 200, 2


def foreseeing(
    inject: Inject, state: ClusterState, mesh: DesiredMesh, manifest: Sequence[_Object]
) -> tuple[DesiredMesh, tuple[str, ...]]:
    """The target's mesh with what its injector changes in sidecars whose image stays; notices where that is not known.

    `inject` is the target's istioctl. Nothing is asked where the configuration stays as it is.
    """
    live, target = state.injector, Injector.from_manifest(manifest)
    sidecar = mesh.sidecar
    if live is None or target is None or live == target or sidecar is None:
        return mesh, ()
    staying = [
        workload
        for workload in state.workloads
        if workload.pods
        and not workload.own_image
        and any(
            is_same_image(pod.proxy_image, expected_image(workload, pod, sidecar))
            for pod in workload.pods
            if not (pod.opted_out or pod.grpc_template)
        )
    ]
    if not staying:
        return mesh, ()
    try:
        found = dict(_changes(inject, staying, (live, target)))
    except FailedError as error:
        words = ": ".join((error.what, *error.details[-1:]))
        return mesh, (f"of the configuration that this brings: {words}",)
    foreseen = Foreseen(target.digest, found)
    return replace(mesh, sidecar=replace(sidecar, foreseen=foreseen)), ()


def _changes(
    inject: Inject, workloads: Sequence[Workload], injectors: tuple[Injector, Injector]
) -> Iterable[tuple[ObjectRef, tuple[Change, ...]]]:
    """Of each workload what the second injector gives otherwise than the first. Raises FailedError."""
    by_key: dict[str, list[Workload]] = {}
    for workload in workloads:
        by_key.setdefault(template_key(workload), []).append(workload)
    pods = [json.dumps(_pod(f"workload-{number}", alike[0])) for number, alike in enumerate(by_key.values())]
    parts = ["\n---\n".join(pods[start : start + _AT_ONCE]) for start in range(0, len(pods), _AT_ONCE)]

    def injected(asked: tuple[Injector, str]) -> list[Object]:
        injector, part = asked
        return read_manifest(inject(part, injector))

    found = side_by_side(injected, [(injector, part) for injector in injectors for part in parts], at_once=_RUNS)
    now, then = (
        {item["metadata"]["name"]: item for part in half for item in part}
        for half in (found[: len(parts)], found[len(parts) :])
    )
    for number, alike in enumerate(by_key.values()):
        name = f"workload-{number}"
        if name not in now or name not in then:
            continue
        # Images are compared with those that run: a pod may have the new one already.
        differ = changes(injected_view(now[name]), injected_view(then[name]))
        if kept := tuple(item for item in differ if not item.of_image):
            yield from ((workload.ref, kept) for workload in alike)


def _pod(name: str, workload: Workload) -> _Object:
    metadata = workload.template.get("metadata") or {}
    kept = {key: metadata.get(key) or {} for key in ("labels", "annotations")}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": workload.ref.namespace, **kept},
        "spec": workload.template.get("spec"),
    }
