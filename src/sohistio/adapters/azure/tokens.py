"""Tokens for the API servers of AKS, fresh whenever one is asked for. Safe to use from several threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sohistio.errors import RefusedError

# The application that all API servers of AKS stand behind, in every cloud.
AKS_SCOPE = "6dae42f8-4368-4678-94ff-3960e28e3630/.default"
# A new token is asked for this long before the old one ends, or in the last third of a short life.
_AHEAD = 300.0
_LONGEST_PAUSE = 30.0


@dataclass(frozen=True, slots=True)
class Token:
    """A token and when it ends, in seconds since the epoch."""

    value: str = field(repr=False)
    expires: float


class ClusterTokens:
    """Asks `credential_for` for a credential once, and anew only where its token was rejected.

    While the token at hand is good, asking for the next one happens beside it: a login that hangs must not hold up the
    run, whose lock has to be renewed.
    """

    def __init__(self, obtain: Callable[[Any], Token], credential_for: Callable[[], Any]) -> None:
        self._obtain = obtain
        self._credential_for = credential_for
        self._credential: Any = None
        self._token: Token | None = None
        self._ask_at = 0.0
        self._lock = threading.Lock()

    def token(self) -> str:
        """A token that is good now. Raises RefusedError."""
        now, token = time.time(), self._token
        if token is None or token.expires <= now:
            with self._lock:
                if self._token is None or self._token is token:
                    return self._ask().value
                return self._token.value  # another thread was quicker
        if now >= self._ask_at and self._lock.acquire(blocking=False):
            self._ask_at = now + _LONGEST_PAUSE  # nobody else meanwhile
            threading.Thread(target=self._ask_beside, name="azure token", daemon=True).start()
        return token.value

    def renew(self, rejected: str) -> None:
        """The API server rejected this token: have another one, unless that has happened. Raises RefusedError."""
        with self._lock:
            if self._token is not None and self._token.value == rejected:
                self._credential = None  # with what it has cached
                self._ask()

    def _ask(self) -> Token:
        if self._credential is None:
            self._credential = self._credential_for()
        token = self._obtain(self._credential)
        left = max(0.0, token.expires - time.time())
        again = self._token is not None and self._token.value == token.value
        self._token = token
        # The same one again: who gives tokens keeps them until shortly before their end, and az takes a second each.
        self._ask_at = time.time() + (min(_LONGEST_PAUSE, left / 2) if again else left - min(_AHEAD, left / 3))
        return token

    def _ask_beside(self) -> None:
        try:
            self._ask()
        except RefusedError:
            return  # the token at hand is still good; when it is not, the error is reported
        finally:
            self._lock.release()
