"""Whether an apply of istioctl's would change nothing of a live object, told from the object alone, without a dry run.

It holds where all that the manifest asks for is there, and istioctl's manager owns that and no more: server-side apply
writes the fields it is given, and drops those that the same manager owned before and is not given any more
(kubernetes.io, "Server-Side Apply"). What cannot be told for certain is not in sync: then the server is asked.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from sohistio.plan.drift.fields import ReadText
from sohistio.plan.drift.noise import INSTALLER_LABELS, WEBHOOK_NOISE
from sohistio.plan.drift.subset import missing_fields
from sohistio.plan.ownership import ISTIOCTL_MANAGER

# istiod, istioctl's end of an install and AKS take fields of these over: what they hold is compared all the same.
_WEBHOOKS = frozenset({"MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"})
_HEAD = frozenset({"apiVersion", "kind"})
_OF_METADATA = frozenset({"name", "namespace"})

Object = Mapping[str, Any]


def is_in_sync(live: Object, desired: Object, read_text: ReadText) -> bool:
    """True only where it is certain."""
    entries = live["metadata"].get("managedFields") or ()
    own = [e for e in entries if e.get("manager") == ISTIOCTL_MANAGER and not e.get("subresource")]
    if len(own) != 1 or own[0].get("operation") != "Apply" or own[0].get("apiVersion") != desired["apiVersion"]:
        return False
    owned, asked = own[0].get("fieldsV1") or {}, _asked(desired)
    elsewhere = INSTALLER_LABELS | (WEBHOOK_NOISE if live.get("kind") in _WEBHOOKS else frozenset())
    return not missing_fields(live, desired, read_text) and _matches(owned, asked, elsewhere)


def _asked(desired: Object) -> dict[str, Any]:
    """What of it can be owned."""
    rest = {key: value for key, value in desired.items() if key not in _HEAD and key != "status"}
    metadata = {key: value for key, value in rest["metadata"].items() if key not in _OF_METADATA}
    labels = dict.fromkeys(INSTALLER_LABELS, "") | (metadata.get("labels") or {})
    return rest | {"metadata": metadata | {"labels": labels}}


def _matches(owned: Mapping[str, Any], asked: Any, elsewhere: frozenset[str]) -> bool:
    """Whether these fields are owned, each and no other; those that may be owned `elsewhere` may be missing."""
    fields = {key: tree for key, tree in owned.items() if key != "."}
    if not fields or asked is None:
        return True  # a leaf owns all that is under it
    if isinstance(asked, Mapping):
        return _same_keys(fields, asked, elsewhere)
    return isinstance(asked, list) and _same_items(fields, asked, elsewhere)


def _same_keys(fields: Mapping[str, Any], asked: Mapping[str, Any], elsewhere: frozenset[str]) -> bool:
    found = {key[2:]: tree for key, tree in fields.items() if key.startswith("f:")}
    if len(found) != len(fields) or not found.keys() <= asked.keys():
        return False
    # What is asked to be nothing may be owned, too.
    missing = {key for key, value in asked.items() if value is not None} - found.keys()
    return missing <= elsewhere and all(_matches(tree, asked[key], elsewhere) for key, tree in found.items())


def _same_items(fields: Mapping[str, Any], asked: list[Any], elsewhere: frozenset[str]) -> bool:
    if len(fields) != len(asked):
        return False
    left = list(asked)
    for key, tree in fields.items():
        item = next(_items(key, left), None)
        if item is None or (key.startswith("k:") and not _matches(tree, item, elsewhere)):
            return False
        left.remove(item)
    return True


def _items(key: str, items: list[Any]) -> Iterator[Any]:
    """Those that a key of fieldsV1 names: a map's item by its keys, of which the server may have filled in some."""
    value = json.loads(key[2:])
    for item in items:
        if key.startswith("v:"):
            if item == value:
                yield item
        elif isinstance(item, Mapping) and all(item.get(name, of) == of for name, of in value.items()):
            yield item
