"""Objects that sohistio owns as a whole: whether somebody else has written to them, and the patch that undoes it. Pure.

Server-side apply puts back what it applies and leaves what others added: a container, a variable, a port.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from sohistio.plan.ownership import field_paths, merge_patch

# What controllers write beside: the volume of a claim, say. Entries of a subresource (status, scale) are theirs, too.
_CONTROLLERS = frozenset({"kube-controller-manager", "cloud-controller-manager", "kube-apiserver", "kube-scheduler"})
_NOT_CONTENT = frozenset({"apiVersion", "kind", "metadata", "status"})
_RESTARTED = "kubectl.kubernetes.io/restartedAt"
_RESTART = ("f:spec", "f:template", "f:metadata", "f:annotations")
# Of a claim nearly all is fixed when it is made: nothing to add, and the volume's name may not go.
_FIXED = frozenset({"PersistentVolumeClaim"})


def is_edited(live: Mapping[str, Any], manager: str) -> bool:
    """Whether anybody but `manager`, applying, has written to what the object says (not to its labels and the like).

    A restart by hand (`kubectl rollout restart`) is no edit.
    """
    if live.get("kind") in _FIXED:
        return False
    return any(
        _is_content(path)
        for entry in live["metadata"].get("managedFields") or ()
        if not entry.get("subresource") and entry.get("manager") not in _CONTROLLERS
        if (entry.get("manager"), entry.get("operation")) != (manager, "Apply")
        for path in field_paths(entry.get("fieldsV1") or {})
    )


def undoing_patch(live: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON merge patch (RFC 7386) that leaves what is wanted, and nothing beside. What the server fills in by
    itself it fills in again.
    """
    aim, before = deepcopy(_content(wanted)), _content(live)
    if restarted := (_template(before).get("annotations") or {}).get(_RESTARTED):
        _template(aim).setdefault("annotations", {})[_RESTARTED] = restarted
    labels = wanted["metadata"].get("labels") or {}
    return merge_patch(before, aim) | {"metadata": {"labels": dict(labels)}}


def _is_content(path: tuple[str, ...]) -> bool:
    if path[0].removeprefix("f:") in _NOT_CONTENT:
        return False
    is_restart = path[: len(_RESTART)] == _RESTART and path[len(_RESTART) :] in ((), (f"f:{_RESTARTED}",))
    return not is_restart and path not in {_RESTART[:depth] for depth in range(1, len(_RESTART))}


def _content(obj: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in obj.items() if key not in _NOT_CONTENT}


def _template(content: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata of a workload's pods; empty for other objects."""
    found: dict[str, Any] = ((content.get("spec") or {}).get("template") or {}).get("metadata") or {}
    return found
