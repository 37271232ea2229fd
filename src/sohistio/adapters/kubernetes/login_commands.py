"""How a kubeconfig's user logs in: its command ends with sohistio, and its words and token are looked at."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sohistio.errors import RefusedError
from sohistio.system.lifeline import tied_to_us
from sohistio.system.masked import masked

_WHOLE_USER = re.compile(r"/?\{'")
_NO_JSON = "failed to decode process output: "
_ABOVE = "its command failed; what it said stands above"


def tie_logins(users: list[Any]) -> None:
    """Have every login command end with this process: one that hangs would outlive it. `users` are the merged nodes."""
    for item in users:
        login = (item.value.get("user") or {}).get("exec")
        if isinstance(login, dict) and isinstance(login.get("command"), str):
            with suppress(OSError):  # no such program, or one that is named from another folder: the library says so
                login["command"], *login["args"] = tied_to_us((login["command"], *(login.get("args") or ())))


@contextmanager
def login_errors() -> Iterator[list[str]]:
    """The kubernetes package logs why a login command failed, and goes on as nobody: take its words instead."""
    said: list[str] = []
    here = threading.get_ident()

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.thread == here:  # other clusters may be logged in to at the same time
                said.append(_words(record.getMessage()))

    root, listener = logging.getLogger(), Listener(logging.ERROR)
    root.addHandler(listener)
    try:
        yield said
    finally:
        root.removeHandler(listener)


def _words(text: str) -> str:
    """On a terminal the package lets the command write to it, and then misses its words. Its own may go on with the
    whole user, key and all.
    """
    if "'NoneType' object has no attribute" in text:
        return _ABOVE
    return masked(_WHOLE_USER.split(text)[0]).replace(_NO_JSON, "its command did not print an ExecCredential: ")


def check_token(configuration: Any, context: str | None) -> None:
    """A line's end around a token came with its file. Raises RefusedError where it cannot be a token.

    The package takes the token from its file again, with each request, and other threads may be sending one meanwhile:
    they get the token as it was looked at, never as it came.
    """
    refresh, came, alone = configuration.refresh_api_key_hook, type(configuration)(), threading.Lock()

    def refreshed(configuration: Any) -> None:
        with alone:
            refresh(came)
            _check_token(came, context)
            configuration.api_key = dict(came.api_key)

    if refresh is not None:
        configuration.refresh_api_key_hook = refreshed
    _check_token(configuration, context)


def _check_token(configuration: Any, context: str | None) -> None:
    for name, value in list(configuration.api_key.items()):
        scheme, _, token = str(value).strip().partition(" ")
        if not (token.isascii() and token.isprintable()):
            raise RefusedError(
                f"the login of context {context!r} gave a token that cannot be one",
                details=("there are line ends, or signs that are no ASCII, within it",),
                todo="Look at what the context's user has below `token` or `tokenFile`, or at what its command prints.",
            )
        configuration.api_key[name] = f"{scheme} {token.strip()}"
