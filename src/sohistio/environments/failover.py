"""How a standby's environment says that it takes over: its DNS record, its probes, and what must hold before.

Relative paths in it begin at the environment's own folder.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from sohistio.environments.values import Count, Part, Seconds, SecondsOrNone, Text
from sohistio.model.dns import (
    DNS_PORT,
    AzurePrivateDns,
    DnsProvider,
    DnsRecord,
    DnsSettings,
    Manual,
    NameServer,
    Program,
    Rfc2136,
)
from sohistio.model.failover import FailoverSettings, Probe
from sohistio.system.paths import expanded

_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(?=.{{1,253}}$){_LABEL}(\.{_LABEL})+")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+: *\S.*")
_SECRET = re.compile(r"[A-Za-z0-9+/]{20,}={1,2}")  # base64, as TSIG keys are
# TSIG's algorithms that are still good (RFC 8945, table 3).
_ALGORITHMS = ("hmac-sha256", "hmac-sha384", "hmac-sha512")


def _host(value: str) -> str:
    if not _HOST.fullmatch(value):
        raise ValueError("expected a full name in lower case such as app.corp.example.com, without a final dot")
    return value


def _server(value: str) -> str:
    NameServer.parse(value)
    return value


def _servers(values: tuple[str, ...]) -> tuple[str, ...]:
    if not values:
        raise ValueError("expected at least one name server")
    if len({NameServer.parse(value) for value in values}) < len(values):
        raise ValueError("expected each name server once")
    return values


def _algorithm(value: str) -> str:
    if value not in _ALGORITHMS:
        raise ValueError(f"expected one of {', '.join(_ALGORITHMS)}")
    return value


def _url(value: str) -> str:
    parts = urlsplit(value)
    try:
        _ = parts.port
    except ValueError:
        raise ValueError("expected a port of 1 to 65535, or none") from None
    if parts.scheme != "https" or not parts.hostname or parts.username is not None:
        raise ValueError("expected an https URL such as https://app.corp.example.com/health")
    return value


def _header(value: str) -> str:
    if not _HEADER.fullmatch(value):
        raise ValueError('expected a header such as "x-region: {environment}"')
    return value


def _argv(values: tuple[str, ...]) -> tuple[str, ...]:
    if not values:
        raise ValueError("expected a program and its arguments, such as [./switch-dns.sh]")
    return values


Host = Annotated[str, AfterValidator(_host)]
Server = Annotated[str, AfterValidator(_server)]
Argv = Annotated[tuple[Text, ...], Field(strict=False), AfterValidator(_argv)]


class AzurePrivateDnsPart(Part):
    """A private DNS zone of Azure, changed through the cluster's login."""

    subscription: Text = Field(description="Id of the zone's subscription")
    resource_group: Text = Field(description="The zone's resource group")


class Rfc2136Part(Part):
    """A primary name server that takes dynamic updates, signed with a TSIG key."""

    server: Text = Field(description="Host name or IP address of the zone's primary name server")
    port: Annotated[int, Field(ge=1)] = DNS_PORT
    key_name: Text = Field(description="The key's name, as the name server knows it")
    key_file: Text = Field(
        description="Path of the file with the key's secret, as tsig-keygen writes it; never the secret"
    )
    algorithm: Annotated[
        str, AfterValidator(_algorithm), WithJsonSchema({"type": "string", "enum": list(_ALGORITHMS)})
    ] = "hmac-sha256"

    @model_validator(mode="after")
    def _is_a_server(self) -> Rfc2136Part:
        if NameServer.parse(self.server).port != DNS_PORT:
            raise ValueError("expected the port as a key of its own: port")
        if self.port > 65535:
            raise ValueError("expected port to be at most 65535")
        # Not said of the one key: the message would show its value.
        if _SECRET.fullmatch(self.key_file):
            raise ValueError("expected keyFile to be the path of a file, never the key itself")
        return self


class ProgramPart(Part):
    """A program of yours; it is run without a shell."""

    argv: Argv = Field(description="The program and its arguments; with a slash a path, else looked up in PATH")
    timeout_seconds: Seconds = Field(60, alias="timeout", description="After which it is ended")

    def program(self, folder: Path) -> Program:
        """The same as plain data."""
        return Program(self.argv, folder, self.timeout_seconds)


class ManualPart(Part):
    """Somebody changes the record by hand."""

    instructions: Text = Field(description="What to do or whom to ask; shown when the record has to be changed")
    timeout_seconds: Seconds = Field(1800, alias="timeout", description="How long to wait for it")


class Dns(Part):
    """The A record that clients use, and who changes it: one of four."""

    record: Host = Field(description="Full name of the A record")
    zone: Host = Field(description="The zone that holds it")
    servers: Annotated[tuple[Server, ...], Field(strict=False), AfterValidator(_servers)] = Field(
        description="Name servers that must answer with the new address: host or host:port"
    )
    max_ttl_seconds: Seconds = Field(60, alias="maxTtl", description="A longer TTL is warned about")
    azure_private_dns: AzurePrivateDnsPart | None = None
    rfc2136: Rfc2136Part | None = None
    command: ProgramPart | None = None
    manual: ManualPart | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Dns:
        if [self.azure_private_dns, self.rfc2136, self.command, self.manual].count(None) != 3:
            raise ValueError("expected one of azurePrivateDns, rfc2136, command and manual")
        if self.record != self.zone and not self.record.endswith(f".{self.zone}"):
            raise ValueError(f"expected record to be within the zone {self.zone}, got {self.record}")
        return self

    def settings(self, folder: Path) -> DnsSettings:
        """The same as plain data; `folder` is the environment's."""
        return DnsSettings(
            DnsRecord(self.record, self.zone),
            tuple(map(NameServer.parse, self.servers)),
            self.max_ttl_seconds,
            self._provider(folder),
        )

    def _provider(self, folder: Path) -> DnsProvider:
        if azure := self.azure_private_dns:
            return AzurePrivateDns(azure.subscription, azure.resource_group)
        if update := self.rfc2136:
            server = NameServer(NameServer.parse(update.server).host, update.port)
            return Rfc2136(server, update.key_name, _path(folder, update.key_file), update.algorithm)
        if command := self.command:
            return command.program(folder)
        assert self.manual is not None  # noqa: S101 - validated: one of the four  # nosec B101
        return Manual(self.manual.instructions, self.manual.timeout_seconds)


class ProbePart(Part):
    """A request that shows which environment answers; `{environment}` stands for the one that has to."""

    url: Annotated[str, AfterValidator(_url)]
    status: Annotated[int, Field(ge=100)] = Field(200, description="The answer's status")
    header: Annotated[str, AfterValidator(_header)] | None = Field(
        None, description='A header that the answer has, such as "x-region: {environment}"'
    )
    body: Text | None = Field(None, description="Text that the answer's body contains")
    ca: Text | None = Field(None, description="Path of a PEM file with the authority of the server's certificate")
    count: Count = Field(5, description="How many answers in a row must be as expected")

    def probe(self, folder: Path) -> Probe:
        """The same as plain data."""
        ca = None if self.ca is None else _path(folder, self.ca)
        return Probe(self.url, self.status, self.header, self.body, ca, self.count)


class Failover(Part):
    """Failing over to this environment, a standby, and back."""

    dns: Dns
    probes: Annotated[tuple[ProbePart, ...], Field(strict=False)] = ()
    hold_down_seconds: SecondsOrNone = Field(
        600, alias="holdDown", description="After a switch there is no other for so long; 0s for none"
    )
    before: ProgramPart | None = Field(None, description="A program that must succeed before anything is switched")

    def settings(self, folder: Path) -> FailoverSettings:
        """The same as plain data; relative paths in it begin at `folder`, the environment's own."""
        folder = folder.absolute()
        return FailoverSettings(
            self.dns.settings(folder),
            tuple(probe.probe(folder) for probe in self.probes),
            self.hold_down_seconds,
            self.before.program(folder) if self.before else None,
        )


def _path(folder: Path, text: str) -> Path:
    return folder / expanded(text)
