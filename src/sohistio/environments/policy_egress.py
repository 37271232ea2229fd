"""The key `policy.egress`: external hosts, and who may call them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from ipaddress import ip_address
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from sohistio.environments.failover import Host
from sohistio.environments.policy_access import Names, ServiceAccounts
from sohistio.environments.values import Address, Name, Part, Port, once, twice
from sohistio.model.outside import OutsideProtocol, OutsideTls
from sohistio.model.policy_traffic import Egress, ExternalHost

_HTTPS, _HTTP = 443, 80
_ISTIOS_PORTS = range(15000, 15100)


class ExternalHostKeys(Part):
    """An external host, and who may call it through the egress gateway."""

    host: Host
    port: Port = Field(_HTTPS, description="Where it listens")
    application_port: Port | None = Field(None, description="Where applications call it")
    protocol: Literal["http", "tcp"] | None = Field(None, description="http for 80 and 443, else tcp")
    tls: Literal["originate", "passthrough", "none"] | None = Field(
        None, description="Who speaks TLS with it: the egress gateway, the application, nobody"
    )
    namespaces: Names = Field((), description="Namespaces that may call it")
    service_accounts: ServiceAccounts = Field((), description="Or single ServiceAccounts, as namespace/name")
    addresses: Annotated[tuple[Address, ...], Field(strict=False), AfterValidator(once)] = Field(
        (), description="IPv4 addresses, where DNS is not to be asked"
    )
    ca_credential: Name | None = Field(
        None, description="Secret of the egress gateway's namespace with ca.crt, for an authority that is not public"
    )

    @model_validator(mode="after")
    def _fits(self) -> ExternalHostKeys:
        if not (self.namespaces or self.service_accounts):
            raise ValueError("expected at least one of namespaces and serviceAccounts: who may call it")
        if self.host.endswith((".svc", ".svc.cluster.local")):
            raise ValueError("expected a host outside the cluster: calls within it need no egress")
        if wrong := next((item for item in self.addresses if not _is_outside(item)), None):
            raise ValueError(f"expected addresses outside the pod, got {wrong}")
        data = self.data()
        if data.application_port in _ISTIOS_PORTS:
            raise ValueError(
                f"expected a port that is not one of the sidecar's own (15000 to 15099), got {data.application_port}"
            )
        if self.ca_credential and data.tls is not OutsideTls.ORIGINATE:
            raise ValueError("expected tls originate beside caCredential: else the gateway checks no certificate")
        if data.tls is OutsideTls.PASSTHROUGH and data.application_port != data.port:
            raise ValueError("expected no applicationPort beside tls passthrough: the application speaks to the host")
        return self

    def data(self) -> ExternalHost:
        """The same as plain data, with what follows from the port."""
        protocol = OutsideProtocol(self.protocol or ("http" if self.port in (_HTTP, _HTTPS) else "tcp"))
        is_https = protocol is OutsideProtocol.HTTP and self.port == _HTTPS
        tls = OutsideTls(self.tls or ("originate" if is_https else "none"))
        called = _HTTP if protocol is OutsideProtocol.HTTP and tls is OutsideTls.ORIGINATE else self.port
        return ExternalHost(
            self.host,
            self.port,
            self.application_port or called,
            protocol,
            tls,
            self.namespaces,
            self.service_accounts,
            self.addresses,
            self.ca_credential or "",
        )


def _is_outside(address: str) -> bool:
    found = ip_address(address)
    return not (found.is_loopback or found.is_unspecified or found.is_link_local or found.is_multicast)


class EgressKeys(Part):
    """What leaves the mesh."""

    mode: Literal["registryOnly", "allowAny"] = Field(
        "registryOnly", description="Whether external hosts that are not declared are closed"
    )
    hosts: Annotated[tuple[ExternalHostKeys, ...], Field(strict=False)] = ()

    @model_validator(mode="after")
    def _fits(self) -> EgressKeys:
        for problem in _problems([item.data() for item in self.hosts]):
            raise ValueError(problem)
        return self

    def egress(self) -> Egress:
        """The same as plain data."""
        return Egress(self.mode == "registryOnly", tuple(item.data() for item in self.hosts))


def _problems(hosts: Sequence[ExternalHost]) -> Iterator[str]:
    """What of several hosts cannot be told apart."""
    names = [item.host for item in hosts]
    if found := twice(names):
        yield f"expected each host once, {found[0]} is given twice"
    # Objects are named after hosts.
    same = twice([name.replace(".", "-") for name in names])
    if alike := sorted(name for name in names if name.replace(".", "-") in same):
        yield f"expected hosts that differ by more than dots and dashes, got {' and '.join(alike)}"
    # A TCP connection is told apart by its port and address.
    taken: dict[tuple[int, str], str] = {}
    for item in hosts:
        for address in item.addresses if item.protocol is OutsideProtocol.TCP else ():
            other = taken.setdefault((item.application_port, address), item.host)
            if other != item.host:
                yield f"expected {other} and {item.host} to differ in port or addresses"
    # One without an address of its own by its port alone; HTTP takes a port for all.
    at_port: dict[int, list[ExternalHost]] = defaultdict(list)
    for item in hosts:
        is_http = item.protocol is OutsideProtocol.HTTP
        if item.tls is not OutsideTls.PASSTHROUGH and (is_http or not item.addresses):
            at_port[item.application_port].append(item)
    for port, items in at_port.items():
        lacking = [item.host for item in items if item.protocol is OutsideProtocol.TCP]
        if lacking and len(items) > 1:
            with_others = ", ".join(item.host for item in items)
            yield f"expected addresses of {', '.join(lacking)}: port {port} is shared ({with_others})"
