"""The validated model of an environment. Field names are the keys of environment.yaml, in camelCase there."""

from __future__ import annotations

import hashlib
import ipaddress
import json
import re
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    PrivateAttr,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from pydantic.alias_generators import to_camel

from sohistio.environments.istiooperator import NAMESPACE, Gateway, gateways_of, render_operator
from sohistio.errors import UsageError
from sohistio.versions import Version

SYSTEM_NAMESPACES = frozenset(
    {"kube-system", "kube-public", "kube-node-lease", "default", "gatekeeper-system", "calico-system", NAMESPACE}
)
"""Namespaces that never have sidecars."""

_UNITS = {"s": 1, "m": 60, "h": 3600}
_DURATION = r"^[1-9][0-9]{0,4}[smh]$"
_HUB = r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]+)?(/[a-z0-9]([a-z0-9._-]*[a-z0-9])?)*$"
_RELEASE = r"^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z][0-9A-Za-z.-]*)?$"
_VARIABLE = r"\$\{"  # what an editor must let pass: `${VARIABLE}` is filled in later
_NAME = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"


def _version(value: object) -> Version:
    if isinstance(value, Version):
        return value
    try:
        return Version.parse(value if isinstance(value, str) else "")
    except UsageError:
        raise ValueError("expected a full release number such as 1.31.1") from None


def _seconds(value: object) -> int:
    if not isinstance(value, str) or not re.fullmatch(_DURATION, value):
        raise ValueError("expected a duration such as 90s, 5m or 1h")
    return int(value[:-1]) * _UNITS[value[-1]]


def _duration(seconds: int) -> str:
    unit = next(unit for unit in "hms" if seconds % _UNITS[unit] == 0)
    return f"{seconds // _UNITS[unit]}{unit}"


def _address(value: str) -> str:
    try:
        ipaddress.IPv4Address(value)
    except ValueError:
        raise ValueError("expected an IPv4 address such as 10.20.147.60") from None
    return value


def _matching(pattern: str, expected: str) -> Callable[[str], str]:
    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(f"expected {expected}")
        return value

    return check


_hub = _matching(_HUB, "a registry path such as dtr.metlife.com/istio, without https://")
_name = _matching(_NAME, "a name of lower case letters, digits and dashes")


def _namespace(value: str) -> str:
    if value in SYSTEM_NAMESPACES:
        raise ValueError("is a system namespace, which never has sidecars; expected a namespace of applications")
    return _name(value)


def _unique(values: tuple[str, ...]) -> tuple[str, ...]:
    twice = sorted({value for value in values if values.count(value) > 1})
    if twice:
        raise ValueError(f"expected each name once, {twice[0]} is given twice")
    return values


_Text = Annotated[str, StringConstraints(min_length=1)]
_Count = Annotated[int, Field(ge=1)]
_Seconds = Annotated[
    int,
    PlainValidator(_seconds),
    PlainSerializer(_duration, return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"{_DURATION}|{_VARIABLE}"}),
]
_Name = Annotated[str, AfterValidator(_name), WithJsonSchema({"type": "string", "pattern": f"{_NAME}|{_VARIABLE}"})]
_Namespace = Annotated[
    str,
    AfterValidator(_namespace),
    WithJsonSchema({"type": "string", "pattern": f"{_NAME}|{_VARIABLE}", "not": {"enum": sorted(SYSTEM_NAMESPACES)}}),
]


class Part(BaseModel):
    """What all parts of the model share: nothing unknown, nothing converted, nothing changed later."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, alias_generator=to_camel)


class Istio(Part):
    """Which Istio, and where its images come from."""

    version: Annotated[
        Version,
        PlainValidator(_version),
        PlainSerializer(str, return_type=str),
        WithJsonSchema({"type": "string", "pattern": f"{_RELEASE}|{_VARIABLE}"}),
    ] = Field(description="Istio's full release number; also the tag of the images")
    hub: Annotated[str, AfterValidator(_hub)] = Field(description="Where the images are, such as dtr.metlife.com/istio")
    pull_secret: _Name | None = Field(description="Secret to pull images with, null for none")


class Nodes(Part):
    """The size of the cluster's node pool."""

    min: _Count
    max: _Count
    size: _Text = Field(description="Azure's name of the virtual machine size")

    @model_validator(mode="after")
    def _min_not_above_max(self) -> Nodes:
        if self.min > self.max:
            raise ValueError(f"expected min at most max, got {self.min} and {self.max}")
        return self


class Cluster(Part):
    """Which cluster: a context of the kubeconfig, or a sandbox of this machine."""

    context: _Text | None = Field(None, description="Context of the kubeconfig")
    sandbox: _Name | None = Field(None, description="Name of a sandbox, in place of a context")
    nodes: Nodes | None = Field(None, description="What the cluster's node pool is meant to have")

    @model_validator(mode="after")
    def _context_or_sandbox(self) -> Cluster:
        if (self.context is None) == (self.sandbox is None):
            raise ValueError("expected either context or sandbox")
        return self


class Timeouts(Part):
    """How long an installation may take."""

    component_seconds: _Seconds = Field(alias="component", description="For each of istiod and the gateways")
    total_seconds: _Seconds = Field(alias="total", description="For the whole run")

    @model_validator(mode="after")
    def _component_within_total(self) -> Timeouts:
        if self.component_seconds > self.total_seconds:
            raise ValueError("expected component to be at most total")
        return self


class Restarts(Part):
    """How workloads with an old sidecar are restarted."""

    parallel: _Count = Field(description="Workloads restarted at once")
    max_failures: _Count = Field(description="Failures after which no further workload is restarted")
    timeout_seconds: _Seconds = Field(alias="timeout", description="For each workload")


class Environment(Part):
    """One environment: all that an installation is made from, apart from what the cluster itself shows.

    `operator_for` renders the IstioOperator: its merged files and what the environment itself decides.
    """

    name: _Name = Field(description="The name of the environment's folder")
    description: str = ""
    protected: bool = Field(description="Whether changes must be confirmed with the environment's name")
    standby_of: _Name | None = Field(None, description="The environment that this one stands by for; gateways are off")
    ingress_address: Annotated[str, AfterValidator(_address)] | None = Field(
        None, description="IPv4 address of the ingress gateway's internal load balancer; only a standby may lack it"
    )
    istio: Istio
    cluster: Cluster
    application_namespaces: Annotated[tuple[_Namespace, ...], Field(strict=False), AfterValidator(_unique)] = Field(
        description="Namespaces whose pods get sidecars"
    )
    timeouts: Timeouts
    restarts: Restarts
    _operator: dict[str, Any] = PrivateAttr(default_factory=dict)

    @model_validator(mode="after")
    def _address_unless_standby(self) -> Environment:
        if self.ingress_address is None and self.standby_of is None:
            raise ValueError("expected ingressAddress (only an environment with standbyOf may lack it)")
        return self

    @classmethod
    def build(cls, data: dict[str, Any], operator: dict[str, Any]) -> Environment:
        """From the merged content of environment.yaml and of istiooperator.yaml. Raises pydantic's ValidationError."""
        environment = cls.model_validate(data)
        environment._operator = operator
        return environment

    @property
    def is_standby(self) -> bool:
        """Whether its gateways have 0 replicas until a failover."""
        return self.standby_of is not None

    @property
    def gateways(self) -> tuple[Gateway, ...]:
        """The gateways it has, those of a standby too, ingress first."""
        return gateways_of(self._operator)

    def operator_for(self, version: Version | None = None) -> dict[str, Any]:
        """The one IstioOperator for istioctl of `version`, the environment's own where none is given."""
        return render_operator(
            self._operator,
            version or self.istio.version,
            hub=self.istio.hub,
            pull_secret=self.istio.pull_secret,
            ingress_address=self.ingress_address,
            standby=self.is_standby,
        )

    def document(self) -> dict[str, Any]:
        """The environment as environment.yaml would have it in one file."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)

    def digest(self) -> str:
        """SHA-256, in hex, of all that the environment decides: equal for equal environments, however written."""
        content = {"environment": self.document(), "operator": self.operator_for()}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def layer_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of one environment.yaml. Nothing is required: what one layer lacks another has."""
    schema = Environment.model_json_schema(by_alias=True)
    for part in (schema, *schema["$defs"].values()):
        part.pop("required", None)
        for field in part["properties"].values():
            field.pop("title", None)
            field.pop("default", None)
    schema["description"] = "An environment of sohistio, or environments/base/environment.yaml, which all share."
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
