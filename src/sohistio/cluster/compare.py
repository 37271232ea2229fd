"""Adapter: the rendered manifest against the live objects, by server-side apply dry runs. Nothing is written."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sohistio.changes import Action, Changes, ObjectChange, changed_fields, ref_of
from sohistio.cluster.kube import KubeApi, KubeError, Object
from sohistio.errors import FailedError

# istioctl installs with this field manager (operator/pkg/install), so a dry run by the same one sees what it would do.
FIELD_MANAGER = "istio-operator"
_MANAGED = "operator.istio.io/component"
_TAG = "istio.io/tag"


def read_manifest(text: str) -> list[Object]:
    """The objects of a multi-document YAML stream."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return [document for document in yaml.load_all(text, Loader=loader) if document]
    except yaml.YAMLError as error:
        raise FailedError("istioctl's manifest is not YAML", details=(str(error),)) from error


def compare(api: KubeApi, manifest: list[Object]) -> Changes:
    """What applying the manifest would create, change and remove. Raises KubeError where the server does not say."""
    with ThreadPoolExecutor(max_workers=8) as pool:
        changed = [change for change in pool.map(lambda obj: _compare_one(api, obj), manifest) if change]
        removed = _no_longer_shipped(api, manifest, pool)
    return Changes(tuple(sorted([*changed, *removed], key=lambda change: change.ref)))


def _compare_one(api: KubeApi, obj: Object) -> ObjectChange | None:
    try:
        path = api.path_of(obj)
    except KubeError as error:
        if error.status == 404:  # a kind whose CRD is yet to come
            return ObjectChange(ref_of(obj), Action.CREATED)
        raise
    live = api.get(path)
    if live is None:
        return ObjectChange(ref_of(obj), Action.CREATED)
    fields = changed_fields(live, api.dry_run_apply(path, obj, FIELD_MANAGER))
    return ObjectChange(ref_of(obj), Action.CHANGED, fields) if fields else None


def _no_longer_shipped(api: KubeApi, manifest: list[Object], pool: ThreadPoolExecutor) -> list[ObjectChange]:
    """Objects that istioctl installed and this manifest does not have; the default revision tag's own are kept."""
    wanted = {ref_of(obj) for obj in manifest}
    one_of_each = {(obj["apiVersion"], obj["kind"]): obj for obj in manifest if "CustomResource" not in obj["kind"]}
    # A PDB or HPA whose component is switched off has no sibling left in the manifest.
    for kind, version in (("PodDisruptionBudget", "policy/v1"), ("HorizontalPodAutoscaler", "autoscaling/v2")):
        sample: dict[str, Any] = {"apiVersion": version, "kind": kind, "metadata": {"name": "-", "namespace": "-"}}
        one_of_each.setdefault((version, kind), sample)

    def surplus(obj: Object) -> list[ObjectChange]:
        path = api.path_of(obj).rpartition("/")[0]
        if namespace := obj["metadata"].get("namespace"):
            path = path.replace(f"/namespaces/{namespace}/", "/")
        found = [item | {"kind": obj["kind"]} for item in api.items(path, labels=f"{_MANAGED},!{_TAG}")]
        return [ObjectChange(ref_of(item), Action.REMOVED) for item in found if ref_of(item) not in wanted]

    return [change for changes in pool.map(surplus, one_of_each.values()) for change in changes]
