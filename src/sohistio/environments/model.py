"""The validated model of an environment. Field names are the keys of environment.yaml, in camelCase there."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PrivateAttr, model_validator

from sohistio.environments.audit import Audit, Notify
from sohistio.environments.caller_addresses import trusts_requests
from sohistio.environments.cluster import Cluster
from sohistio.environments.failover import Failover
from sohistio.environments.gateway_ending import Gateways
from sohistio.environments.images import Images
from sohistio.environments.istiooperator import Gateway, gateways_of, place_of, render_operator
from sohistio.environments.layers import merge
from sohistio.environments.mesh_settings import mesh_settings
from sohistio.environments.monitoring import Monitoring
from sohistio.environments.monitoring_policy import with_monitoring
from sohistio.environments.policy import PolicyKeys
from sohistio.environments.pull_secret import PullSecretRegistries, PullSecretSource
from sohistio.environments.restarts import Restarts
from sohistio.environments.sync import Sync
from sohistio.environments.values import (
    Address,
    Hub,
    Name,
    Namespaces,
    Part,
    Release,
    Seconds,
)
from sohistio.model.gateway_probes import GatewayProbes
from sohistio.model.policy import Policy
from sohistio.model.pull_secrets import registry_of
from sohistio.model.restart_policy import RestartPolicy
from sohistio.model.sync import SyncRules
from sohistio.model.versions import Version


class Istio(Part):
    """Which Istio, and where its images come from."""

    version: Release = Field(description="Istio's full release number; also the tag of the images")
    hub: Hub = Field(description="Where the images are, such as dtr.metlife.com/istio")
    pin_digests: bool = Field(
        False, description="Whether images are rendered as name:tag@sha256:…, with the digests of images.lock"
    )
    pull_secret: Name | None = Field(description="Secret to pull images with, null for none")
    pull_secret_source: PullSecretSource | None = Field(
        None, description="Where sohistio takes that Secret from; without it somebody else puts it there"
    )
    pull_secret_registries: PullSecretRegistries = Field(
        {},
        description="Other registries that the Secret logs in to, such as one of base images, each with its source",
    )

    @model_validator(mode="after")
    def _registries_beside_the_hubs(self) -> Istio:
        if self.pull_secret_registries and (self.pull_secret is None or self.pull_secret_source is None):
            raise ValueError("expected pullSecret and pullSecretSource beside pullSecretRegistries")
        if (host := registry_of(self.hub)) in self.pull_secret_registries:
            raise ValueError(
                f"expected {host}, the registry of the hub, in pullSecretSource, not in pullSecretRegistries"
            )
        return self


class Timeouts(Part):
    """How long an installation may take."""

    component_seconds: Seconds = Field(alias="component", description="For each of istiod and the gateways")
    total_seconds: Seconds = Field(alias="total", description="For the whole run")

    @model_validator(mode="after")
    def _component_within_total(self) -> Timeouts:
        if self.component_seconds > self.total_seconds:
            raise ValueError("expected component to be at most total")
        return self


def _switched_off(value: object) -> object:
    """`monitoring: null` is for an environment that has nothing of what base/environment.yaml says."""
    return {} if value is None else value


class Environment(Part):
    """One environment: all that an installation is made from, apart from what the cluster itself shows.

    `operator_for` renders the IstioOperator: its merged files and what the environment itself decides.
    """

    name: Name = Field(description="The name of the environment's folder")
    description: str = ""
    protected: bool = Field(description="Whether changes must be confirmed with the environment's name")
    standby_of: Name | None = Field(None, description="The environment that this one stands by for; gateways are off")
    promotes_from: Name | None = Field(
        None, description="The environment whose version and settings this one gets next"
    )
    ingress_address: Address | None = Field(
        None, description="IPv4 address of the ingress gateway's internal load balancer; only a standby may lack it"
    )
    istio: Istio
    cluster: Cluster
    application_namespaces: Namespaces = Field(description="Namespaces whose pods get sidecars")
    timeouts: Timeouts
    restarts: Restarts
    gateways_end: Gateways = Field(
        Gateways(),
        alias="gateways",
        description="How gateways are replaced without cutting a request (docs/gateways.md)",
    )
    failover: Failover | None = Field(None, description="How a failover to this environment, a standby, is done")
    images: Images = Field(Images(), description="Where the hub's images are published")
    sync: Sync | None = Field(
        None, description="How `sohistio sync` compares this standby with the environment it stands by for"
    )
    policy: PolicyKeys | None = Field(None, description="The mesh's security and traffic policy (docs/security.md)")
    monitoring: Annotated[Monitoring, BeforeValidator(_switched_off)] = Field(
        Monitoring(), description="What watches the mesh (docs/monitoring.md)"
    )
    audit: Audit = Field(Audit(), description="What is asked of a run that changes something (docs/audit.md)")
    notify: Notify | None = Field(None, description="Where each change and each refusal is reported (docs/audit.md)")
    _operator: dict[str, Any] = PrivateAttr(default_factory=dict)

    @model_validator(mode="after")
    def _address_unless_standby(self) -> Environment:
        if self.ingress_address is None and self.standby_of is None:
            raise ValueError("expected ingressAddress (only an environment with standbyOf may lack it)")
        return self

    @model_validator(mode="after")
    def _failover_to_a_standby(self) -> Environment:
        if self.standby_of is None and (self.failover is not None or self.sync is not None):
            key = "failover" if self.failover is not None else "sync"
            raise ValueError(f"expected standbyOf beside {key}: it is about a standby")
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
    def sync_rules(self) -> SyncRules:
        """What differs from the source by intention; nothing where the key `sync` is not given."""
        return self.sync.rules() if self.sync else SyncRules()

    @property
    def trusts_requests(self) -> bool:
        """Whether gateways believe what requests say of where they come from."""
        return trusts_requests(self._operator)

    @property
    def sees_callers(self) -> bool:
        """Whether every ingress gateway sees the addresses of callers."""
        ingress = [gateway for gateway in self.gateways if gateway.kind == "ingress"]
        return not self.trusts_requests and all(gateway.sees_callers for gateway in ingress)

    @property
    def gateways(self) -> tuple[Gateway, ...]:
        """The gateways it has, those of a standby too, ingress first."""
        return gateways_of(self._operator)

    def restart_policy(self) -> RestartPolicy:
        """When, and in which order, workloads may be restarted, as plain data."""
        return self.restarts.policy(self.application_namespaces)

    def mesh_policy(self) -> Policy:
        """The policy as plain data, with what monitoring needs of it; an empty one without either."""
        monitoring = self.monitoring.data()
        if self.policy is None and not (monitoring.jaeger or monitoring.expose):
            return Policy()
        places = {gateway.kind: place_of(self._operator, gateway) for gateway in reversed(self.gateways)}
        ingress = [place_of(self._operator, gateway) for gateway in self.gateways if gateway.kind == "ingress"]
        found = with_monitoring(self.policy.policy() if self.policy else Policy(), monitoring)
        return replace(
            found,
            ingress_gateway=places.get("ingress", found.ingress_gateway),
            more_ingress_gateways=tuple(ingress[1:]),
            egress_gateway=places.get("egress", found.egress_gateway),
        )

    def operator_for(self, version: Version | None = None, *, gateways_off: bool | None = None) -> dict[str, Any]:
        """The one IstioOperator for istioctl of `version`, the environment's own where none is given.

        `gateways_off` is what failover/standby.py has decided; without it a standby's are.
        """
        return render_operator(
            self.gateways_end.under(merge(self._operator, mesh_settings(self.mesh_policy()))),
            version or self.istio.version,
            hub=self.istio.hub,
            pull_secret=self.istio.pull_secret,
            ingress_address=self.ingress_address,
            gateways_off=self.is_standby if gateways_off is None else gateways_off,
        )

    def gateway_probes(self, folder: Path) -> GatewayProbes:
        """What judges the gateways' new pods; relative paths begin at `folder`, the environment's own."""
        folder, gateways = folder.absolute(), self.gateways_end
        ingress = gateways.probes or (self.failover.probes if self.failover else ())
        return GatewayProbes(
            tuple(probe.probe(folder) for probe in ingress),
            tuple(probe.probe(folder) for probe in gateways.egress_probes),
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
