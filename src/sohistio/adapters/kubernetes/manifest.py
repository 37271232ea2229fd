"""Adapter: the text that istioctl renders → raw objects, each with what all the others read of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sohistio.adapters.kubernetes.errors import Object
from sohistio.errors import FailedError
from sohistio.model.words import first_lines

_MOST_LISTED = 6
_MOST_SHOWN = 60
# What is read of these besides what every object has.
_MORE: Mapping[str, Sequence[tuple[str, ...]]] = {
    "Deployment": [("spec", "template", "spec")],
    "HorizontalPodAutoscaler": [("spec", "scaleTargetRef", "name")],
    "PodDisruptionBudget": [("spec",)],
    "Service": [("spec",)],
}
_IN_NAMESPACES = frozenset({*_MORE, "ConfigMap", "DaemonSet", "Role", "RoleBinding", "Secret", "ServiceAccount"})
_LOOK = "Look at what `istioctl manifest generate` prints."


def read_manifest(text: str) -> list[Object]:
    """The objects of a multi-document YAML stream. Raises FailedError where it has none, or what is no such object."""
    import yaml

    try:
        documents = list(yaml.load_all(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date such as 2026-02-31
        raise FailedError("what it printed is not YAML", details=(str(error),), todo=_LOOK) from error
    found = [(number, document) for number, document in enumerate(documents, start=1) if document]
    if not found:
        raise FailedError("what it printed has no objects", todo=_LOOK)
    faults = [f"document {number} {fault}" for number, document in found for fault in _faults(document)]
    if faults:
        details = first_lines(faults, _MOST_LISTED)
        raise FailedError("what it printed is no Kubernetes objects", details=details, todo=_LOOK)
    return [document for _, document in found]


def _faults(document: Any) -> Iterator[str]:
    """What a document lacks to be an object."""
    if not isinstance(document, dict):
        shown = str(document)
        yield f"is no object: {shown if len(shown) <= _MOST_SHOWN else shown[:_MOST_SHOWN] + '…'}"
        return
    kind = document.get("kind")
    name = _at(document, "metadata", "name")
    wanted = [("apiVersion",), ("kind",), ("metadata", "name"), *_MORE.get(str(kind), ())]
    if kind in _IN_NAMESPACES:
        wanted.append(("metadata", "namespace"))
    for path in wanted:
        if not _at(document, *path):
            yield f"({kind or 'of no kind'} {name or 'without a name'}) has no {'.'.join(path)}"
    for key in ("labels", "annotations"):
        if not isinstance(_at(document, "metadata", key) or {}, dict):
            yield f"({kind} {name}) has no {key}, but something else in their place"


def _at(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value
