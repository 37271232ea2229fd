"""The kinds of values that an environment has: names, durations, addresses, each with what is expected of it."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Sequence
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    StringConstraints,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel

from sohistio.environments.istiooperator import NAMESPACE
from sohistio.errors import UsageError
from sohistio.model.durations import DURATION, duration_of, seconds_of
from sohistio.model.versions import Version

SYSTEM_NAMESPACES = frozenset(
    {"kube-system", "kube-public", "kube-node-lease", "default", "gatekeeper-system", "calico-system", NAMESPACE}
)
"""Namespaces that never have sidecars."""

_HUB = r"^[a-z0-9]+((\.|-+)[a-z0-9]+)*(:[1-9][0-9]{0,4})?(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$"
_LAST_PORT = 65535
_RELEASE = r"^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z][0-9A-Za-z.-]*)?$"
_VARIABLE = r"\$\{"  # what an editor must let pass: `${VARIABLE}` is filled in later
_NAME = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"


def without_password(value: object) -> object:
    """Without what stands before an @: somebody may have written a login into an address."""
    return f"…@{value.rpartition('@')[2]}" if isinstance(value, str) and ":" in value.rpartition("@")[0] else value


def _version(value: object) -> Version:
    if isinstance(value, Version):
        return value
    try:
        return Version.parse(value if isinstance(value, str) else "")
    except UsageError:
        raise ValueError("expected a full release number such as 1.31.1") from None


def _seconds(value: object) -> int:
    return seconds_of(value if isinstance(value, str) else "")


def _seconds_or_none(value: object) -> int:
    return 0 if value == "0s" else _seconds(value)


def _address(value: str) -> str:
    try:
        ipaddress.IPv4Address(value)
    except ValueError:
        raise ValueError("expected an IPv4 address such as 10.20.147.60") from None
    return value


def matching(pattern: str, expected: str) -> Callable[[str], str]:
    """A validator: a text of this form, else the error says what is expected."""

    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(f"expected {expected}")
        return value

    return check


_is_hub = matching(_HUB, "a registry path such as dtr.metlife.com/istio, in lower case, without https://")


def _hub(value: str) -> str:
    port = _is_hub(value).partition("/")[0].partition(":")[2]
    if port and int(port) > _LAST_PORT:
        raise ValueError(f"expected a port up to {_LAST_PORT}")
    return value


_name = matching(_NAME, "a name of lower case letters, digits and dashes")


def _namespace(value: str) -> str:
    if value in SYSTEM_NAMESPACES:
        raise ValueError("is a system namespace, which never has sidecars; expected a namespace of applications")
    return _name(value)


def _mesh_namespace(value: str) -> str:
    # Istio's root namespace: with or without labels, what is there applies to pods of every namespace.
    if value == NAMESPACE:
        raise ValueError(f"expected another namespace: what is declared in {NAMESPACE} applies to the whole mesh")
    return _name(value)


def twice(values: Sequence[str]) -> list[str]:
    """Those that are given more than once, sorted."""
    return sorted({value for value in values if values.count(value) > 1})


def once(values: tuple[str, ...]) -> tuple[str, ...]:
    """A validator: each of them once."""
    if found := twice(values):
        raise ValueError(f"expected each name once, {found[0]} is given twice")
    return values


Text = Annotated[str, StringConstraints(min_length=1)]
Count = Annotated[int, Field(ge=1)]
Port = Annotated[int, Field(ge=1, le=_LAST_PORT)]
Seconds = Annotated[
    int,
    PlainValidator(_seconds),
    PlainSerializer(duration_of, return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"{DURATION}|{_VARIABLE}"}),
]
SecondsOrNone = Annotated[
    int,
    PlainValidator(_seconds_or_none),
    PlainSerializer(lambda value: duration_of(value) if value else "0s", return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"^0s$|{DURATION}|{_VARIABLE}"}),
]
Name = Annotated[str, AfterValidator(_name), WithJsonSchema({"type": "string", "pattern": f"{_NAME}|{_VARIABLE}"})]
MeshNamespace = Annotated[
    str,
    AfterValidator(_mesh_namespace),
    WithJsonSchema({"type": "string", "pattern": f"{_NAME}|{_VARIABLE}", "not": {"const": NAMESPACE}}),
]
"""Any namespace but Istio's own."""
Namespace = Annotated[
    str,
    AfterValidator(_namespace),
    WithJsonSchema({"type": "string", "pattern": f"{_NAME}|{_VARIABLE}", "not": {"enum": sorted(SYSTEM_NAMESPACES)}}),
]
Namespaces = Annotated[tuple[Namespace, ...], Field(strict=False), AfterValidator(once)]
Address = Annotated[str, AfterValidator(_address)]
Hub = Annotated[str, AfterValidator(_hub)]
Release = Annotated[
    Version,
    PlainValidator(_version),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"{_RELEASE}|{_VARIABLE}"}),
]


class Part(BaseModel):
    """What all parts of the model share: nothing unknown, nothing converted, nothing changed later."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, alias_generator=to_camel, defer_build=True)
