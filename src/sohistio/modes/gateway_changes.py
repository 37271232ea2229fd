"""Which changes of a live gateway's Service move, expose or cut traffic, and in which words. Pure.

Sources: the annotations of cloud-provider-azure (pkg/consts, `service.beta.kubernetes.io/azure-…`) and ServiceSpec.
Source ranges, traffic policies and the selector count as well: each of them can shut clients out at once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sohistio.model.state import ObservedService
from sohistio.plan.changes import Action, Changes, FieldChange, ObjectChange
from sohistio.plan.gateway_change import ADDRESS, OLD_ADDRESS, GatewayChange

_ANNOTATIONS = "metadata.annotations"
_AZURE = f"{_ANNOTATIONS}.service.beta.kubernetes.io/azure-"
_INTERNAL = f"{_AZURE}load-balancer-internal"
# They change how long idle connections live, and tags in Azure: no address, no client.
_HARMLESS = (f"{_AZURE}load-balancer-tcp-idle-timeout", f"{_AZURE}pip-tags")
_OF_THE_BALANCER = ("spec.loadBalancerClass", "spec.loadBalancerSourceRanges", "spec.externalTrafficPolicy")
_OF_EVERY_SERVICE = ("spec.selector", "spec.internalTrafficPolicy", "spec.externalIPs", "spec.ipFamil")
_PORTS = "spec.ports"
_NOT_GATEWAYS = ("base", "istiod", "istio-cni", "ztunnel")
_BALANCED = "LoadBalancer"
_LONGEST = 60


def gateway_changes(changes: Changes, services: Sequence[ObservedService]) -> tuple[GatewayChange, ...]:
    """The dangerous ones. A Service that is created is none, nor is an address that it serves on already."""
    seen = {service.ref: service for service in services}
    found = []
    for change in changes.objects:
        is_gateway = change.ref in seen or change.component not in _NOT_GATEWAYS
        if change.ref.kind == "Service" and change.action is Action.CHANGED and is_gateway:
            dangers = list(_dangers(change, seen.get(change.ref)))
            if dangers:
                words = " and ".join(text for text, _ in dangers)
                found.append(GatewayChange(change.ref, words, tuple(field for _, some in dangers for field in some)))
    return tuple(found)


_Danger = tuple[str, tuple[FieldChange, ...]]


def _dangers(change: ObjectChange, seen: ObservedService | None) -> Iterator[_Danger]:
    fields = {field.path: field for field in _flat(change.fields)}
    name = change.ref.short
    kind = fields.get("spec.type")
    before = str(kind.before or "ClusterIP") if kind else seen.type if seen else _BALANCED
    if kind is not None:
        given_back = f", which gives {', '.join(seen.addresses)} back" if seen and seen.addresses else ""
        yield f"turns {name} from {before} into {kind.after or 'ClusterIP'}{given_back}", (kind,)
    elif before == _BALANCED:
        yield from _of_the_balancer(name, fields, seen)
    for field in fields.values():
        if field.path.startswith(_OF_EVERY_SERVICE):
            yield _changed(name, field)
    ports = [field for field in fields.values() if _changes_ports(field)]
    if ports:
        named = ", ".join(_port(field) for field in ports)
        yield f"changes ports of {name} ({named})", tuple(ports)


def _flat(fields: Sequence[FieldChange]) -> Iterator[FieldChange]:
    """Where an object has no annotations at all, or is to have none, they are one field with a map."""
    for field in fields:
        if field.path != _ANNOTATIONS:
            yield field
            continue
        before, after = (value if isinstance(value, Mapping) else {} for value in (field.before, field.after))
        for key in sorted({*before, *after}):
            yield FieldChange(f"{_ANNOTATIONS}.{key}", before.get(key), after.get(key), field.manager)


def _of_the_balancer(name: str, fields: Mapping[str, FieldChange], seen: ObservedService | None) -> Iterator[_Danger]:
    """Of a Service that Azure balances. While it has no address nobody is there to notice; but public stays public."""
    serves = seen is None or bool(seen.addresses)
    internal = fields.get(_INTERNAL)
    if internal is not None and _is_internal(internal.before) and not _is_internal(internal.after):
        yield f"makes the internal load balancer of {name} public", (internal,)
    elif internal is not None and serves and _is_internal(internal.before) != _is_internal(internal.after):
        yield f"makes the public load balancer of {name} internal", (internal,)
    if not serves:
        return
    yield from _address(name, fields, seen)
    for field in fields.values():
        azure = field.path.startswith(_AZURE) and field.path not in (ADDRESS, _INTERNAL, *_HARMLESS)
        if azure or field.path in _OF_THE_BALANCER:
            yield _changed(name, field)


def _address(name: str, fields: Mapping[str, FieldChange], seen: ObservedService | None) -> Iterator[_Danger]:
    """The annotation beats the deprecated field; moving the same address from one to the other moves nothing."""
    of_address = tuple(fields[path] for path in (ADDRESS, OLD_ADDRESS) if path in fields)
    if not of_address:
        return
    annotated, old = fields.get(ADDRESS), fields.get(OLD_ADDRESS)
    by_annotation = annotated.after if annotated else seen.wanted_address if seen else ""
    by_field = old.after if old else seen.load_balancer_ip if seen else ""
    wanted = {text.strip() for text in str(by_annotation or by_field or "").split(",")} - {""}
    held = seen.addresses if seen else ()
    if wanted and held and {address for address in held if ":" not in address} <= wanted:
        return
    now = ", ".join(held) or str(of_address[0].before or "its present address")
    if wanted:
        yield f"moves {name} from {now} to {', '.join(sorted(wanted))}", of_address
    else:
        yield f"no longer asks for {now} for {name}, so that Azure may give it another address", of_address


def _is_internal(value: Any) -> bool:
    """Azure's controller takes nothing but this text for yes."""
    return bool(value == "true")


def _changes_ports(field: FieldChange) -> bool:
    """A port that is added cuts nobody off; a field that is added to one (appProtocol changes Azure's probe) can."""
    if not field.path.startswith(_PORTS):
        return False
    if field.path == _PORTS and isinstance(field.before, list) and isinstance(field.after, list):
        return any(port not in field.after for port in field.before)
    return not (field.before is None and field.path.endswith("]"))


def _port(field: FieldChange) -> str:
    where = field.path.removeprefix(_PORTS).replace("[", "").replace("]", "") or "all"
    if field.after is None and field.path.endswith("]"):
        return f"{where} goes"
    return f"{where}: {_text(field.before)} → {_text(field.after)}"


def _changed(name: str, field: FieldChange) -> _Danger:
    what = field.path.removeprefix(f"{_ANNOTATIONS}.service.beta.kubernetes.io/")
    return f"changes {what} of {name} ({_text(field.before)} → {_text(field.after)})", (field,)


def _text(value: Any) -> str:
    if value is None:
        return "none"
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
