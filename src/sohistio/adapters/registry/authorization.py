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
from sohistio.adapters.releases.mirror import without_secrets

if TYPE_CHECKING:
    import httpx

# Seconds: a token without expires_in is good for this long (distribution's specification), and none is used to its end.
_SHORTEST_LIFE = 60.0
_MARGIN = 10.0
# What a header may hold (RFC 6750 allows less).
_TOKEN = re.compile(r"[!-~]+")
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
        # What the answer to a request itself asked for: it need not be what the registry's front page asks for.
        self._challenges: dict[str, _Challenge] = {}
        self._asking = threading.Lock()
        self._tokens: dict[str, tuple[str, float]] = {}

    def header(self, scope: str) -> str | None:
        """For a request within `scope`, such as `repository:istio/pilot:pull`; None where the registry wants none.

        Raises NotLoggedInError where it wants a login that there is not, or rejects it; RegistryError.
        """
        with self._asking:
            if self._challenge is None:
                self._challenge = self._asked_for()
            challenge = self._challenges.get(scope, self._challenge)
        if challenge.scheme == "basic":
            if self._login is None:
                raise self.not_logged_in()
            return f"Basic {self._login.basic}"
        return f"Bearer {self._token(challenge, scope)}" if challenge.scheme == "bearer" else None

    def may_help(self, scope: str, sent: str | None, response: httpx.Response) -> bool:
        """Whether another header may be taken, after 401 for one that was `sent`: a new token, or what it now asks for.

        Raises RegistryError.
        """
        asked_for = self._challenge_of(response)
        if asked_for is not None:
            with self._asking:
                self._challenges[scope] = asked_for
        self._tokens.pop(scope, None)
        scheme = (sent or "none").partition(" ")[0].lower()
        return scheme == "bearer" or (asked_for is not None and asked_for.scheme != scheme)

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
        found = self._challenge_of(response) if response.status_code == 401 else None
        return found or _Challenge("none")

    def _challenge_of(self, response: httpx.Response) -> _Challenge | None:
        """What a 401 asks for; None where that is nothing known, or where another host that it led to asks."""
        import httpx

        own = httpx.URL(self._base)
        if (response.url.host, response.url.port) != (own.host, own.port):
            return None
        offered = [_challenge(text) for text in response.headers.get_list("WWW-Authenticate")]
        known = [challenge for scheme in ("bearer", "basic") for challenge in offered if challenge.scheme == scheme]
        return self._checked(known[0]) if known else None

    def _checked(self, challenge: _Challenge) -> _Challenge:
        import httpx

        try:
            usable = challenge.scheme == "basic" or httpx.URL(challenge.realm).scheme == "https"
            shown = without_secrets(challenge.realm)
        except (ValueError, httpx.InvalidURL):
            usable, shown = False, "something that is no URL"
        if not usable:
            raise RegistryError(
                f"{self._host} sends logins to an address that is not https: {shown!r}",
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
            token, life = _token_in(response)
        except ValueError as error:
            # What it did answer may be a token: it is not shown, nor is what was raised for it.
            raise RegistryError(
                f"{without_secrets(challenge.realm)} gave no token for {self._host}",
                details=(f"it answered {response.status_code}, {error}",),
                todo="Is the registry in trouble? Run it again later.",
            ) from None
        self._tokens[scope] = (token, time.monotonic() + life - _MARGIN)
        return token


def _token_in(response: httpx.Response) -> tuple[str, float]:
    """The token, and for how many seconds it is good. Raises ValueError, which quotes nothing of the answer."""
    if response.status_code != 200:
        raise ValueError("not 200")
    try:
        answer = response.json()
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise ValueError("with something that is no JSON object")
    token = answer.get("token") or answer.get("access_token")
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise ValueError("without a token of printable ASCII characters")
    try:
        return token, float(answer.get("expires_in") or _SHORTEST_LIFE)
    except (ValueError, TypeError, OverflowError):
        raise ValueError("with an expires_in that is no number") from None


def _challenge(text: str) -> _Challenge:
    scheme, _, rest = text.strip().partition(" ")
    found = {key.lower(): value for key, value in _PARAMETER.findall(rest)}
    return _Challenge(scheme.lower(), found.get("realm", ""), found.get("service", ""))
