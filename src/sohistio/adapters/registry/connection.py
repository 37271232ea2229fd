"""Requests to one registry: verified TLS, proxies as the environment says, and patience with a server in trouble."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sohistio.adapters.registry.bounds import Bounds, bound
from sohistio.adapters.registry.errors import RegistryError
from sohistio.adapters.releases.downloads import Patience
from sohistio.adapters.releases.mirror import without_secrets
from sohistio.adapters.releases.trust import certificate_error, trusted_authorities, trusting_only
from sohistio.adapters.releases.web import retry_after, web_client
from sohistio.model.words import counted

if TYPE_CHECKING:
    import httpx

_RETRIED = (429, 500, 502, 503, 504)
MAX_ANSWER = 4 * 2**20
"""Bytes, of all but a blob: a registry takes no larger manifest (distribution's own limit)."""
# Seconds, for the same.
_LONGEST_ANSWER = 60.0


class Connection:
    """Connections to one registry and to where it leads. Safe from several threads. Raises RegistryError."""

    def __init__(self, host: str, say: Callable[[str], None], patience: Patience, authority: str = "") -> None:
        """`authority` (PEM) is whom to trust instead of the usual ones."""
        self._host = host
        self._say = say
        self._patience = patience
        self._client = _client(host, patience, authority)
        self._given_up = threading.Event()

    def close(self) -> None:
        """End all connections."""
        self._client.close()

    def give_up(self) -> None:
        """Wait for nothing any more."""
        self._given_up.set()

    def get(self, url: str, parameters: dict[str, str], headers: dict[str, str]) -> httpx.Response:
        """A GET; any status that is not of a server in trouble comes back."""
        return self.request("GET", url, headers=headers, params=parameters)

    def request(self, method: str, url: str, *, headers: Mapping[str, str], **content: Any) -> httpx.Response:
        """Send it, time and again while the server answers 429 or 5xx, or nothing. Retry-After is kept, within bounds.

        Authorization goes to no other host that it redirects to (httpx drops it).
        """

        def once() -> httpx.Response:
            bounds = Bounds.of(self._host, MAX_ANSWER, min(_LONGEST_ANSWER, self._patience.total), self._given_up)
            given = {"headers": dict(headers), "extensions": bounds.extensions, **content}
            return bounds.kept(lambda: self._client.request(method, url, **given))

        return self._persist(once, url)

    def save(self, url: str, target: Path, *, headers: Mapping[str, str], most: int) -> httpx.Response:
        """A GET whose content, `most` bytes of it, goes to a file where the status is 200, afresh with each attempt.

        Raises UnusableError where it is larger, OSError.
        """

        def once() -> httpx.Response:
            bounds = Bounds.of(self._host, max(most, MAX_ANSWER), self._patience.total, self._given_up)
            return bounds.kept(lambda: saved(bounds))

        def saved(bounds: Bounds) -> httpx.Response:
            with self._client.stream("GET", url, headers=dict(headers), extensions=bounds.extensions) as response:
                if response.status_code != 200:
                    response.read()
                    return response
                with target.open("wb") as output:
                    for chunk in response.iter_raw():
                        output.write(chunk)
                return response

        return self._persist(once, url)

    def _persist(self, send: Callable[[], httpx.Response], url: str) -> httpx.Response:
        import httpx

        reason = ""
        for attempt in range(1, self._patience.attempts + 1):
            wanted = 0.0
            try:
                response = send()
            except httpx.TooManyRedirects as error:
                raise RegistryError(f"{_shown(url)} redirects too often", todo="Check the registry.") from error
            except httpx.RequestError as error:
                if untrusted := certificate_error(error):
                    raise RegistryError(
                        f"The certificate of {self._host} is not trusted",
                        details=(untrusted, _shown(url)),
                        todo="Set SSL_CERT_FILE to a file with your company's certificate authority (PEM).",
                    ) from error
                reason = f"{type(error).__name__}: {error}"
            else:
                if response.status_code not in _RETRIED:
                    return response
                reason, wanted = f"it answered {response.status_code}", retry_after(response)
            if attempt < self._patience.attempts:
                self._wait(attempt, wanted, reason)
        raise RegistryError(
            f"{self._host} gave no answer in {counted(self._patience.attempts, 'attempt')}",
            details=(f"the last one: {reason}", _shown(url)),
            todo="Check the registry, the network and the proxy (HTTPS_PROXY, NO_PROXY), and run it again. "
            "429 is a limit on pulls: log in to the registry, or wait.",
        )

    def _wait(self, attempt: int, wanted: float, reason: str) -> None:
        first, longest = self._patience.first_wait, self._patience.longest_wait
        backoff = first * 2 ** (attempt - 1) + random.uniform(0, first)  # noqa: S311 — spreads requests, hides nothing  # nosec B311
        seconds = min(max(backoff, wanted), longest)
        self._say(f"{self._host}: {reason}; trying again in {seconds:.1f} s")
        if self._given_up.wait(seconds):
            raise RegistryError(f"{self._host} was not asked again", todo="Run it again.")


def _client(host: str, patience: Patience, authority: str) -> httpx.Client:
    def check_hop(request: httpx.Request) -> None:
        if request.url.scheme != "https":
            raise RegistryError(
                f"{host} redirects to an address that is not https: {_shown(str(request.url))}",
                todo="Its administrator has to let it redirect to https.",
            )

    return web_client(
        {"request": [check_hop], "response": [bound]},
        verify=trusting_only(authority) if authority else trusted_authorities(),
        connect=patience.connect,
        silence=patience.silence,
    )


def _shown(url: str) -> str:
    return without_secrets(url)
