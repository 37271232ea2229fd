"""How the configuration of a standby differs from that of the environment it stands by for. Pure.

Only what no file renders is compared here: Istio's custom resources and the Gateway API's. What environment files
render is compared as files.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sohistio.model.state import ObjectRef
from sohistio.model.sync import SYNCED_FROM, Object, Substitution

_NOISE = frozenset({"kubectl.kubernetes.io/last-applied-configuration", "gateway.istio.io/controller-version"})
# Where two environments differ by their own nature: in a rendered IstioOperator, and in environment.yaml.
_OWN_KEYS = frozenset({"replicaCount", "serviceAnnotations"})


@dataclass(frozen=True, slots=True)
class Named:
    """An object with the reference that messages name it by."""

    ref: ObjectRef
    obj: Object


@dataclass(frozen=True, slots=True)
class Comparison:
    """`apply` are the objects as the standby is to have them, `pruned` those that sync made and nobody needs any more;
    `waiting` those whose namespace the standby lacks."""

    apply: tuple[Named, ...] = ()
    pruned: tuple[Named, ...] = ()
    waiting: tuple[ObjectRef, ...] = ()


def compare(
    source: Sequence[Named],
    target: Sequence[Named],
    namespaces: Collection[str],
    environment: str,
    substitutions: Sequence[Substitution],
) -> Comparison:
    """What makes the target as the source, of the `environment`; `namespaces` are the target's."""
    there = {item.ref: item.obj for item in target}
    wanted = {item.ref: portable(item.obj, environment, substitutions) for item in source if not _is_owned(item.obj)}
    apply = [
        Named(ref, obj)
        for ref, obj in wanted.items()
        if (not ref.namespace or ref.namespace in namespaces) and not (ref in there and is_equal(obj, there[ref]))
    ]
    waiting = [ref for ref in wanted if ref.namespace and ref.namespace not in namespaces]
    pruned = [item for item in target if _label(item.obj) == environment and item.ref not in wanted]
    return Comparison(tuple(apply), tuple(pruned), tuple(waiting))


def portable(obj: Object, environment: str, substitutions: Sequence[Substitution]) -> dict[str, Any]:
    """The object as another cluster can have it: what somebody wrote, with the substitutions in its spec."""
    metadata = obj["metadata"]
    own: dict[str, Any] = {"name": metadata["name"]}
    if metadata.get("namespace"):
        own["namespace"] = metadata["namespace"]
    own["labels"] = {**(metadata.get("labels") or {}), SYNCED_FROM: environment}
    annotations = {key: value for key, value in (metadata.get("annotations") or {}).items() if key not in _NOISE}
    if annotations:
        own["annotations"] = annotations
    found = {"apiVersion": obj["apiVersion"], "kind": obj["kind"], "metadata": own}
    return found | {"spec": _replaced(obj.get("spec") or {}, substitutions)}


def is_equal(wanted: Object, live: Object) -> bool:
    """Whether the live object has the spec, and at least the labels and annotations; who made it does not matter."""
    if (live.get("spec") or {}) != wanted["spec"]:
        return False
    for key in ("labels", "annotations"):
        own = {name: value for name, value in (wanted["metadata"].get(key) or {}).items() if name != SYNCED_FROM}
        if not own.items() <= dict(live["metadata"].get(key) or {}).items():
            return False
    return True


def _replaced(value: Any, substitutions: Sequence[Substitution]) -> Any:
    """Every text of the value, each substitution once and never within what another one has put there."""
    if isinstance(value, str):
        return _text(value, substitutions)
    if isinstance(value, Mapping):
        return {key: _replaced(item, substitutions) for key, item in value.items()}
    return [_replaced(item, substitutions) for item in value] if isinstance(value, list) else value


def _text(text: str, substitutions: Sequence[Substitution]) -> str:
    for number, item in enumerate(substitutions):
        if item.before in text:
            return item.after.join(_text(part, substitutions[number + 1 :]) for part in text.split(item.before))
    return text


def _is_owned(obj: Object) -> bool:
    """Somebody's controller makes it: it makes its own on the standby."""
    return bool(obj["metadata"].get("ownerReferences"))


def _label(obj: Object) -> str:
    return str((obj["metadata"].get("labels") or {}).get(SYNCED_FROM, ""))


def differing_keys(one: Object, other: Object, own: Collection[str] = ()) -> tuple[str, ...]:
    """`key: before → after` for every place where two documents differ, without keys that are `own` to each."""
    return tuple(_differing((), one, other, frozenset(own)))


def file_differences(primary: Object, standby: Object) -> tuple[str, ...]:
    """As `differing_keys` of two rendered IstioOperators, without addresses and a standby's replicas."""
    return differing_keys(primary, standby, _OWN_KEYS)


def _differing(path: tuple[str, ...], one: Any, other: Any, own: frozenset[str]) -> Iterator[str]:
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for key in sorted({*one, *other} - own):
            yield from _differing((*path, str(key)), one.get(key), other.get(key), own)
    elif _is_named(one) and _is_named(other):
        left, right = ({item["name"]: item for item in items} for items in (one, other))
        for name in sorted({*left, *right}):
            yield from _differing((*path[:-1], f"{path[-1]}[{name}]"), left.get(name), right.get(name), own)
    elif one != other and not (one in (None, {}) and other in (None, {})):
        yield f"{'.'.join(path)}: {_shown(one)} → {_shown(other)}"


def _is_named(value: Any) -> bool:
    if not isinstance(value, list) or not value:
        return False
    return all(isinstance(item, Mapping) and "name" in item for item in value)


def _shown(value: Any) -> str:
    return "none" if value is None else value if isinstance(value, str) else json.dumps(value, sort_keys=True)
