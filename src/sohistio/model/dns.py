"""The one A record that a failover switches: its name, what it shows, and how the environment wants it changed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

DNS_PORT = 53
# How much longer than a TTL a name server may keep an old answer: its own clock, a transfer between servers.
_MARGIN_SECONDS = 30
_SERVER = re.compile(
    r"\[(?P<six>[0-9A-Fa-f:.]+)\](?::(?P<six_port>\d{1,5}))?|(?P<host>[^:\s\[\]]+)(?::(?P<port>\d{1,5}))?"
)


@dataclass(frozen=True, slots=True)
class DnsRecord:
    """An A record. `name` and `zone` are full names in lower case, without a final dot; `name` is within `zone`."""

    name: str
    zone: str

    @property
    def relative(self) -> str:
        """The name within its zone, `@` for the zone itself: as zone files and Azure have it."""
        return "@" if self.name == self.zone else self.name.removesuffix(f".{self.zone}")

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class RecordAnswer:
    """What the record shows: IPv4 addresses, sorted; none where there is no A record.

    `ttl` is in seconds; from a name server that caches it is what is left of it. `alias` is the name that a CNAME leads
    to, where the name is one. `guard` is an opaque text that changes with the record, such as an etag; empty where the
    addresses themselves are the guard. It is never a secret.
    """

    addresses: tuple[str, ...]
    ttl: int = 0
    guard: str = ""
    alias: str = ""

    def __str__(self) -> str:
        if self.alias:
            return f"an alias (CNAME) of {self.alias}"
        return f"{', '.join(self.addresses)} (TTL {self.ttl} s)" if self.addresses else "no A record"


@dataclass(frozen=True, slots=True)
class NameServer:
    """A name server: host name or IP address, and port."""

    host: str
    port: int = DNS_PORT

    @classmethod
    def parse(cls, text: str) -> NameServer:
        """`host`, `host:port`, or an IPv6 address as `[::1]:port`. Raises ValueError."""
        found = _SERVER.fullmatch(text)
        port = int((found["port"] or found["six_port"] or DNS_PORT) if found else 0)
        if found is None or not 0 < port < 65536:
            raise ValueError("expected a name server such as 10.0.0.4, 10.0.0.4:5353 or [fd00::4]:53")
        return cls(found["host"] or found["six"], port)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DNS_PORT else f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class AzurePrivateDns:
    """A private DNS zone of Azure; the record's zone is its name."""

    subscription: str
    resource_group: str


@dataclass(frozen=True, slots=True)
class Rfc2136:
    """A primary name server that takes dynamic updates (RFC 2136), signed with a TSIG key (RFC 8945).

    `key_file` holds the secret: base64 alone, or a key file as tsig-keygen writes it.
    """

    server: NameServer
    key_name: str
    key_file: Path
    algorithm: str


@dataclass(frozen=True, slots=True)
class Program:
    """A program of the user: its arguments, the folder it runs in, and after how many seconds it is ended.

    A first argument with a slash is a path, from `folder` where it is relative; without one it is looked up in PATH.
    """

    argv: tuple[str, ...]
    folder: Path
    seconds: int


@dataclass(frozen=True, slots=True)
class Manual:
    """Somebody changes the record by hand: what they are asked to do, and how many seconds they have."""

    instructions: str
    seconds: int


DnsProvider = AzurePrivateDns | Rfc2136 | Program | Manual
"""Who changes the record: one of four."""


@dataclass(frozen=True, slots=True)
class DnsSettings:
    """The record, the name servers that must show its new address, and who changes it.

    `max_ttl` is in seconds: above it a failover takes effect too slowly.
    """

    record: DnsRecord
    servers: tuple[NameServer, ...]
    max_ttl: int
    provider: DnsProvider

    def settle_seconds(self, before: RecordAnswer) -> int:
        """How long name servers may still give the answer that the record had before the change."""
        return max(self.max_ttl, before.ttl) + _MARGIN_SECONDS
