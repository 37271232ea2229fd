"""Where sohistio asks for no dry run because nothing differs, a dry run finds nothing either: over seeded drifts."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import yaml

from sandboxes import Sandbox
from sohistio.adapters.kubernetes.api import KubeApi, KubeError
from sohistio.adapters.kubernetes.compare import read_text
from sohistio.istioctl import Istioctl
from sohistio.plan.drift.fields import changed_fields
from sohistio.plan.drift.in_sync import is_in_sync
from test_adopt import previous_istioctl

pytestmark = pytest.mark.e2e

Object = dict[str, Any]
_HEAD, _NAMES = ("apiVersion", "kind"), (("metadata", "name"), ("metadata", "namespace"))
ISTIOCTL, PLACE, SEED, DRIFTS = "istio-operator", "copies", 20261127, 90
KINDS = (
    "ClusterRole",
    "ClusterRoleBinding",
    "ConfigMap",
    "Deployment",
    "HorizontalPodAutoscaler",
    "MutatingWebhookConfiguration",
    "PodDisruptionBudget",
    "Role",
    "RoleBinding",
    "Service",
    "ServiceAccount",
    "ValidatingWebhookConfiguration",
)


def manifest(istioctl: Istioctl, operator: str) -> list[Object]:
    """What istioctl renders, of the kinds that can be copied under another name."""
    command = [str(istioctl.path), "manifest", "generate", "-f", "-"]
    said = subprocess.run(command, input=operator, text=True, capture_output=True, check=True).stdout
    return [item for item in yaml.safe_load_all(said) if item and item["kind"] in KINDS]


def copy_of(obj: Object) -> Object:
    metadata = obj["metadata"] | {"name": f"{obj['metadata']['name']}-copy"}
    if "namespace" in metadata:
        metadata["namespace"] = PLACE
    copied = obj | {"metadata": metadata}
    if obj["kind"] == "Deployment":
        copied["spec"] = obj["spec"] | {"paused": True}  # its pods are of no interest
    return copied


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The paths of what can be changed; into lists, too."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from leaves(item, (*path, key))
    elif isinstance(value, list) and value:
        yield path  # the list itself
        for number, item in enumerate(value):
            yield from leaves(item, (*path, number))
    else:
        yield path


def drifted(obj: Object, chance: random.Random) -> Object:
    """The object with one thing changed, added or taken away."""
    changed: Object = yaml.safe_load(yaml.safe_dump(obj))
    *way, last = chance.choice([path for path in leaves(changed) if path[0] not in _HEAD and path[:2] not in _NAMES])
    around: Any = changed
    for step in way:
        around = around[step]
    old = around[last]
    match chance.randrange(3):
        case 0:
            del around[last]
        case 1 if isinstance(old, list):
            around[last] = [*old, *old[-1:]] if chance.random() < 0.5 else [*old, _like(old[-1], chance)]
        case 1:
            around[last] = _like(old, chance)
        case _ if isinstance(around, dict):
            around[f"{last}x"] = old
        case _:
            around.append(_like(old, chance))
    return changed


def _like(value: Any, chance: random.Random) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + chance.choice((1, 2))
    if isinstance(value, dict):
        key = chance.choice(list(value)) if value else "name"
        return value | {key: _like(value.get(key, "a"), chance)}
    if isinstance(value, list):
        return [_like(item, chance) for item in value]
    return f"{value or ''}x"


def write(api: KubeApi, path: str, obj: Object, chance: random.Random) -> None:
    """As one of those who edit a mesh does it; what the server refuses is not written."""
    how = chance.randrange(4)
    with suppress(KubeError):
        if how == 0:  # an edit in an editor, or a tool that writes the whole object
            current = api.get(path)
            assert current is not None
            metadata = obj["metadata"] | {"resourceVersion": current["metadata"]["resourceVersion"]}
            api.request("PUT", path, query={"fieldManager": "kubectl-edit"}, body=obj | {"metadata": metadata})
        elif how == 1:
            content = "application/merge-patch+json"
            api.request("PATCH", path, query={"fieldManager": "kubectl-patch"}, body=obj, content_type=content)
        elif how == 2:  # another tool that applies, such as a GitOps controller
            api.apply(path, obj, "gitops", force=True)
        else:  # what an istioctl of another manifest leaves
            api.apply(path, obj, ISTIOCTL, force=True)


def test_what_is_called_in_sync_is_in_sync(empty_sandbox: Sandbox) -> None:
    api, chance = empty_sandbox.api, random.Random(SEED)  # noqa: S311 — the same drifts each time
    api.create("/api/v1/namespaces", {"metadata": {"name": PLACE}})
    operator = empty_sandbox.run("render", "--env", "local", "--version", "1.30.5").stdout
    copies = [copy_of(obj) for obj in manifest(previous_istioctl(empty_sandbox), operator)]
    paths = [api.path_of(obj) for obj in copies]

    def renew(number: int) -> None:
        with suppress(KubeError):
            api.delete(paths[number])
        api.apply(paths[number], copies[number], ISTIOCTL, force=True)

    def looks(number: int) -> tuple[bool, bool]:
        """Whether it is called in sync, and whether a dry run finds a difference."""
        found = api.get(paths[number])
        assert found is not None
        applied = api.dry_run_apply(paths[number], copies[number], ISTIOCTL)
        return is_in_sync(found, copies[number], read_text), bool(changed_fields(found, applied, read_text))

    for number in range(len(copies)):
        renew(number)
    assert [looks(number) for number in range(len(copies))] == [(True, False)] * len(copies)

    wrong, differing = [], 0
    for _ in range(DRIFTS):
        number = chance.randrange(len(copies))
        write(api, paths[number], drifted(copies[number], chance), chance)
        called_in_sync, differs = looks(number)
        differing += differs
        if called_in_sync and differs:
            wrong.append(paths[number])
        renew(number)
    assert wrong == []
    assert differing > DRIFTS / 4, "most of what is written drifts"
