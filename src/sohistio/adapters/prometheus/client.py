"""Instant queries to one Prometheus: verified TLS, one bounded answer each, no redirects.

The bearer token comes from a variable, is sent to this server only, and never without encryption beyond this machine.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sohistio.adapters.releases.trust import certificate_error, trusted_authorities
from sohistio.adapters.releases.web import web_client
from sohistio.errors import RefusedError, SohistioError
from sohistio.model.hosts import is_loopback
from sohistio.system.parallel import within

if TYPE_CHECKING:
    import httpx

TOKEN_VARIABLE = "SOHISTIO_PROMETHEUS_TOKEN"  # noqa: S105 — the variable's name  # nosec B105
QUERY_SECONDS = 10.0
"""For one query, from the connection to the last byte."""
MOST_BYTES = 8 * 2**20
"""Of one answer: some 30,000 series."""
_MOST_WORDS = 300
_CHECK = "Check monitoring.prometheusURL in environment.yaml and the network (VPN)."


@dataclass(frozen=True, slots=True)
class Sample:
    """One series of an answer, without its name, and its value."""

    labels: Mapping[str, str]
    value: float


class Prometheus:
    """One server, by the URL under which its API is. Raises RefusedError for a token that cannot be sent."""

    def __init__(self, url: str, token: str = "", seconds: float = QUERY_SECONDS) -> None:  # none is given  # nosec B107
        self.url = url.rstrip("/")
        self._seconds = seconds
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        if token:
            _check_token(self.url, token)

    def query(self, expression: str) -> tuple[Sample, ...]:
        """The samples of an instant vector, now. Raises RefusedError."""
        late = self._error(f"gave no answer within {self._seconds:g} s", _CHECK)
        found = within(self._seconds + 1, lambda: self._answer(expression), late)
        if isinstance(found, SohistioError):
            raise found
        return found

    def _answer(self, expression: str) -> tuple[Sample, ...] | SohistioError:
        """What came of it; an error is returned, as the thread that waits must raise it."""
        import httpx

        try:
            return self._asked(expression)
        except SohistioError as error:
            return error
        except (httpx.HTTPError, OSError) as error:
            return self._unanswered(error)

    def _asked(self, expression: str) -> tuple[Sample, ...]:
        end = time.monotonic() + self._seconds
        client = web_client({}, verify=trusted_authorities(), connect=self._seconds, silence=self._seconds)
        parameters = {"query": expression, "timeout": f"{self._seconds:g}s"}
        with (
            client,
            client.stream(
                "GET",
                f"{self.url}/api/v1/query",
                params=parameters,
                headers=self._headers,
                follow_redirects=False,
            ) as response,
        ):
            body = self._body(response, end)
        return self._samples(response, body)

    def _body(self, response: httpx.Response, end: float) -> bytes:
        found = b""
        for piece in response.iter_raw():  # no compression was asked for: a few bytes could become any number
            found += piece
            if len(found) > MOST_BYTES:
                raise self._error(f"answers with more than {MOST_BYTES} bytes", _CHECK)
            if time.monotonic() > end:
                raise self._error(f"did not finish its answer within {self._seconds:g} s", _CHECK)
        return found

    def _samples(self, response: httpx.Response, body: bytes) -> tuple[Sample, ...]:
        status = response.status_code
        if status in (401, 403):
            todo = f"Set {TOKEN_VARIABLE} to a token that may query it."
            raise self._error(f"refuses the query ({status})", todo)
        if response.is_redirect:
            raise self._error("leads to another address", "Set monitoring.prometheusURL to the one that it leads to.")
        try:
            document = json.loads(body)
            if status != 200 or document["status"] != "success":
                words = " ".join(str(document.get("error", "")).split())[:_MOST_WORDS]
                raise self._error(f"cannot answer the query ({status})", _CHECK, words)
            if document["data"]["resultType"] != "vector":
                raise ValueError
            return tuple(_sample(item) for item in document["data"]["result"])
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise self._error(f"gives an answer ({status}) that is not Prometheus'", _CHECK) from None

    def _unanswered(self, error: Exception) -> SohistioError:
        if untrusted := certificate_error(error):
            todo = "Set SSL_CERT_FILE to a file with your company's certificate authority (PEM)."
            found = self._error("has a certificate that is not trusted", todo, untrusted)
        else:
            found = self._error("cannot be asked", _CHECK, f"{type(error).__name__}: {error}"[:_MOST_WORDS])
        found.__cause__ = error
        return found

    def _error(self, words: str, todo: str, detail: str = "") -> RefusedError:
        return RefusedError(f"Prometheus at {self.url} {words}", details=(detail,) if detail else (), todo=todo)


def _sample(item: Mapping[str, Any]) -> Sample:
    labels = {str(name): str(value) for name, value in item["metric"].items() if name != "__name__"}
    return Sample(labels, float(item["value"][1]))


def _check_token(url: str, token: str) -> None:
    """The token itself is in no message."""
    if not token.isascii() or not token.isprintable() or " " in token:
        raise RefusedError(
            f"{TOKEN_VARIABLE} is no token: it has blanks, line ends or letters that no token has",
            todo="Set it to the token alone.",
        )
    parts = urlsplit(url)
    if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        raise RefusedError(
            f"{TOKEN_VARIABLE} would be sent to {url} without encryption",
            todo="Set monitoring.prometheusURL to an https address, or unset the variable.",
        )
