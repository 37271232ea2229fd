"""External hosts in what containers are given: arguments and environment variables. Pure.

Only hosts and ports come out, never a value: it may hold a password. Where it is not certain what is a host, there is
none.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(?:{_LABEL}\.)+[a-z][a-z0-9-]*[a-z0-9]")
_URL = re.compile(r"[a-z][a-z0-9+.-]*://([^\s\"'<>|;]+)", re.IGNORECASE)
_SECRET = re.compile(
    r"pass|pwd|secret|token|credential|private|signature|(?:^|[^a-z])key|apikey|accesskey", re.IGNORECASE
)
# The parts of connection strings that are a server (ADO.NET, JDBC, libpq, Azure).
_SERVER = re.compile(r"server|host|host ?name|data ?source|addr|address|endpoint|accountendpoint", re.IGNORECASE)
_SERVERS_NAME = re.compile(r"host|server|endpoint|addr", re.IGNORECASE)
_SEPARATORS = re.compile(r"[\s;\"'<>|]+")
_IN_CLUSTER = (".svc", ".svc.cluster.local", ".cluster.local", ".local", ".localhost", ".localdomain")
_HTTP = {"http": 80, "https": 443}


@dataclass(frozen=True, order=True, slots=True)
class OutsideHost:
    """A host in lower case, or an IPv4 address; port 0 where none is written."""

    host: str
    port: int = 0

    def __str__(self) -> str:
        return f"{self.host}:{self.port}" if self.port else self.host


def outside_hosts(words: Iterable[tuple[str, str]]) -> frozenset[OutsideHost]:
    """All that are named in these names and values. Names of the cluster itself are none."""
    return frozenset(found for found in named_hosts(words) if not is_in_cluster(found.host))


def named_hosts(words: Iterable[tuple[str, str]]) -> frozenset[OutsideHost]:
    """The same with names of the cluster."""
    return frozenset(found for name, value in words for found in _in(name, value))


def is_in_cluster(host: str) -> bool:
    """Whether a name can only be one of the cluster, or an address of this machine or link."""
    if host.endswith(_IN_CLUSTER):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_link_local or address.is_unspecified or address.is_multicast


def _in(name: str, value: str) -> Iterator[OutsideHost]:
    for match in _URL.finditer(value):
        if found := _of_url(match):
            yield found
    if _SECRET.search(name):
        return
    for part in _SEPARATORS.split(_URL.sub(" ", value)):
        yield from _of_part(name, part, whole=part == value)


def _of_url(match: re.Match[str]) -> OutsideHost | None:
    """What follows the login. A password with `/` in it would end up before the path: then nothing is certain."""
    authority, slash, rest = re.split(r"([/?#]|$)", match[1], maxsplit=1)
    if slash and "@" in rest:
        return None
    host = authority.rpartition("@")[2].split(",")[0]
    default = _HTTP.get(match[0].partition(":")[0].lower(), 0)
    return _host(host, default)


def _of_part(name: str, part: str, *, whole: bool) -> Iterator[OutsideHost]:
    key, equals, value = part.rpartition("=")
    if equals and _SECRET.search(key):
        return
    is_server = bool(_SERVER.fullmatch(key.strip())) if equals else whole and bool(_SERVERS_NAME.search(name))
    value = value.removeprefix("tcp:")
    if is_server and re.fullmatch(r"[^,]+,\d+", value):  # ADO.NET: host,port
        value = value.replace(",", ":")
    for item in value.split(","):
        if "@" in item or not (":" in item or is_server):
            continue
        if found := _host(item):
            yield found


def _host(text: str, default: int = 0) -> OutsideHost | None:
    host, colon, port = text.lower().rstrip(".").partition(":")
    if colon and not (port.isdecimal() and 0 < int(port) < 65536):
        return None
    if not _HOST.fullmatch(host) and not _is_ipv4(host):
        return None
    return OutsideHost(host, int(port) if colon else default)


def _is_ipv4(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).version == 4
    except ValueError:
        return False
