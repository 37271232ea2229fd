"""A probe's request, sent to one address with the name's SNI and Host: what DNS says meanwhile does not matter.

TLS is always verified, for the name of the URL: by the probe's own authority where it has one.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from sohistio.errors import UsageError
from sohistio.model.failover import Probe

if TYPE_CHECKING:
    from httpx import Response

REQUEST_SECONDS = 5.0
"""For each request, with its connection."""
_MOST_BODY = 1_000_000


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of one request: `fault` says what was not as expected, empty where all was. `seconds` it took."""

    fault: str
    seconds: float


def ask(probe: Probe, address: str, seconds: float = REQUEST_SECONDS) -> Answered:
    """One request on a connection of its own, as a new client would make it. Raises UsageError for a bad `ca` file."""
    import httpx

    parts = urlsplit(probe.url)
    host, port = parts.hostname or "", parts.port
    url = urlunsplit((parts.scheme, f"{address}:{port}" if port else address, parts.path or "/", parts.query, ""))
    begun = time.monotonic()
    # No proxy of the environment variables: the request goes to this address and nowhere else.
    with httpx.Client(verify=_context(probe), timeout=seconds, trust_env=False) as client:
        request = client.build_request(
            "GET", url, headers={"Host": parts.netloc, "Connection": "close"}, extensions={"sni_hostname": host}
        )
        try:
            response = client.send(request, stream=True)
            body = _read(response, begun + seconds) if probe.body is not None else b""
            response.close()
        except (httpx.HTTPError, OSError) as error:
            return Answered(_why(error), time.monotonic() - begun)
    return Answered(_judged(probe, response.status_code, response.headers, body), time.monotonic() - begun)


def check_authority(probe: Probe) -> None:
    """Raises UsageError where the probe's `ca` is no PEM file that can be read."""
    _context(probe)


def _judged(probe: Probe, status: int, headers: Mapping[str, str], body: bytes) -> str:
    if status != probe.status:
        return f"it answered {status}, not {probe.status}"
    if probe.header is not None:
        name, _, wanted = (part.strip() for part in probe.header.partition(":"))
        found = headers.get(name)
        if found != wanted:
            return f"its header {name} is {found!r}, not {wanted!r}"[:200]
    if probe.body is not None and probe.body.encode() not in body:
        return f"its body does not contain {probe.body!r}"[:200]
    return ""


def _read(response: Response, end: float) -> bytes:
    """The body as far as it counts; a server that sends for ever is not waited for."""
    found = b""
    for piece in response.iter_bytes():
        found += piece
        if len(found) > _MOST_BODY or time.monotonic() > end:
            break
    return found


def _why(error: Exception) -> str:
    import httpx

    if isinstance(error, httpx.TimeoutException):
        return "no answer in time"
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return f"TLS failed: {getattr(cause, 'verify_message', '') or cause.reason or cause}"
        cause = cause.__cause__ or cause.__context__
    return str(error) or type(error).__name__


def _context(probe: Probe) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=str(probe.ca) if probe.ca else None)
    except (OSError, ssl.SSLError) as error:
        raise UsageError(
            f"the CA file of the probe {probe.url} cannot be read: {probe.ca}",
            details=(str(error),),
            todo="Correct the probe's `ca` in environment.yaml: the path of a PEM file.",
        ) from error
