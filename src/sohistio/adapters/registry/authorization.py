"""How a registry wants to be logged in to: it says so itself, and nobody else gets the login.

Basic (RFC 7617) or a token for one repository (distribution's token authentication). The login goes to the registry,
or to the address for tokens that this registry names, and only once it has asked for it.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sohistio.adapters.registry.errors import NotLoggedInError, RegistryError
from sohistio.adapters.registry.logins import Login
from sohistio.adapters.releases.mirror import may_be_asked, without_secrets

if TYPE_CHECKING:
    import httpx

# Seconds: a token without expires_in is good for this long (distribution's specification), and none is used to its end.
_SHORTEST_LIFE = 60.0
_MARGIN = 10.0
_PARAMETER = re.compile(r'([A-Za-z]+)="([^"]*)"')

Get = Callable[[str, dict[str, str], dict[str, str]], "httpx.Response"]
"""A GET of a URL with parameters and headers, repeated where the server is in trouble."""


@dataclass(frozen=True, slots=True)
class _Challenge:
    """What WWW-Authenticate says; `realm` is the address for tokens."""

    scheme: str
    realm: str = ""
    service: str = ""


class Authorization:
    """The value of the header Authorization for requests to one registry. Safe from several threads."""

    def __init__(self, host: str, base: str, login: Login | None, get: Get) -> None:
        self._host = host
        self._base = base
        self._login = login
        self._get = get
        self._challenge: _Challenge | None = None
        self._asking = threading.Lock()
        self._tokens: dict[str, tuple[str, float]] = {}

    def header(self, scope: str) -> str | None:
        """For a request within `scope`, such as `repository:istio/pilot:pull`; None where the registry wants none.

        Raises NotLoggedInError where it wants a login that there is not, or rejects it; RegistryError.
        """
        with self._asking:
            if self._challenge is None:
                self._challenge = self._asked_for()
            challenge = self._challenge
        if challenge.scheme == "basic":
            if self._login is None:
                raise self.not_logged_in()
            return f"Basic {self._login.basic}"
        return f"Bearer {self._token(challenge, scope)}" if challenge.scheme == "bearer" else None

    def forget(self, scope: str) -> None:
        """The registry did not take the token of this scope."""
        self._tokens.pop(scope, None)

    def not_logged_in(self) -> NotLoggedInError:
        """The registry wants a login that there is not, or rejects the one that there is."""
        where = "$REGISTRY_AUTH_FILE, $DOCKER_CONFIG, ~/.docker/config.json and $XDG_RUNTIME_DIR/containers/auth.json"
        if self._login is None:
            return NotLoggedInError(
                f"{self._host} wants a login, and there is none for it",
                details=(f"looked for in: {where}",),
                todo=f"Log in (`docker login {self._host}`, `skopeo login {self._host}`), or set "
                "SOHISTIO_REGISTRY_USERNAME and SOHISTIO_REGISTRY_PASSWORD if it is the registry of istio.hub.",
            )
        return NotLoggedInError(
            f"{self._host} rejects the login of {self._login.origin}",
            todo="Log in again, or correct it there: the user name or password is wrong, or has expired.",
        )

    def _asked_for(self) -> _Challenge:
        response = self._get(f"{self._base}/v2/", {}, {})
        if response.status_code != 401:
            return _Challenge("none")
        offered = [_challenge(text) for text in response.headers.get_list("WWW-Authenticate")]
        for scheme in ("bearer", "basic"):
            for challenge in offered:
                if challenge.scheme == scheme:
                    return self._checked(challenge)
        raise RegistryError(
            f"{self._host} wants a login of a kind that sohistio does not know",
            details=(f"WWW-Authenticate: {response.headers.get('WWW-Authenticate', '')[:200]}",),
            todo="Basic and Bearer are known. Is it a registry of container images?",
        )

    def _checked(self, challenge: _Challenge) -> _Challenge:
        if challenge.scheme == "bearer" and not may_be_asked(challenge.realm):
            raise RegistryError(
                f"{self._host} sends logins to an address that is not https: {without_secrets(challenge.realm)!r}",
                todo="The registry's administrator has to name an https address for tokens.",
            )
        return challenge

    def _token(self, challenge: _Challenge, scope: str) -> str:
        token, ends = self._tokens.get(scope, ("", 0.0))
        if time.monotonic() < ends:
            return token
        headers = {"Authorization": f"Basic {self._login.basic}"} if self._login else {}
        response = self._get(challenge.realm, {"service": challenge.service, "scope": scope}, headers)
        if response.status_code in (400, 401, 403):
            raise self.not_logged_in()
        try:
            answer = response.json() if response.status_code == 200 else {}
            token = str(answer.get("token") or answer["access_token"])
            life = float(answer.get("expires_in") or _SHORTEST_LIFE)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            # What it did answer may be a token.
            raise RegistryError(
                f"{without_secrets(challenge.realm)} gave no token for {self._host}",
                details=(f"it answered {response.status_code}",),
                todo="Is the registry in trouble? Run it again later.",
            ) from None
        self._tokens[scope] = (token, time.monotonic() + life - _MARGIN)
        return token


def _challenge(text: str) -> _Challenge:
    scheme, _, rest = text.strip().partition(" ")
    found = {key.lower(): value for key, value in _PARAMETER.findall(rest)}
    return _Challenge(scheme.lower(), found.get("realm", ""), found.get("service", ""))
