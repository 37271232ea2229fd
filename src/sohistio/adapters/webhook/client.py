"""Posts a document to a webhook: verified TLS, no redirects, bounded in time. Its URL is a secret and in no message."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sohistio.adapters.releases.trust import certificate_error, trusted_authorities
from sohistio.adapters.releases.web import retry_after, web_client
from sohistio.errors import SohistioError
from sohistio.model.hosts import is_loopback
from sohistio.system.parallel import within

if TYPE_CHECKING:
    import httpx
    import tenacity

TOTAL_SECONDS = 10.0
"""For all tries together: the run has ended, and somebody waits for the command."""
TRIES = 2
_TRY_SECONDS = 4.0
_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE = TOTAL_SECONDS - _TRY_SECONDS
_PASSING = (408, 429, 500, 502, 503, 504)


class _NotTakenError(Exception):
    """Why the document was not taken; `passing` where the next try may go better."""

    def __init__(self, why: str, *, passing: bool = False, pause: float = 0.0) -> None:
        super().__init__(why)
        self.passing = passing
        self.pause = pause


def post(url: str, document: Mapping[str, Any], seconds: float = TOTAL_SECONDS) -> str:
    """Post the document as JSON. Returns why it was not taken, empty where it was (any status 2xx); never raises.

    A document may arrive twice: one that was not answered in time is sent once more.
    """
    if why := unusable(url):
        return why
    return within(seconds, lambda: _posted(url, json.dumps(document).encode()), f"no answer within {seconds:g} s")


def unusable(url: str) -> str:
    """Why nothing is sent to such a URL, without a word of it; empty where it can be used."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    if not url.isascii() or not url.isprintable() or " " in url or not host:
        return "its value is not a URL: expected https://…"
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        return "its URL is not https://…: it would be sent without encryption"
    return ""


def _posted(url: str, body: bytes) -> str:
    import tenacity

    retrying = tenacity.Retrying(
        stop=tenacity.stop_after_attempt(TRIES),
        wait=_pause,
        retry=tenacity.retry_if_exception(lambda error: isinstance(error, _NotTakenError) and error.passing),
        reraise=True,
    )
    try:
        retrying(_once, url, body)
    except _NotTakenError as error:
        return str(error)
    except SohistioError as error:  # the certificates or the proxies of this machine
        return error.what
    return ""


def _pause(state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    wanted = error.pause if isinstance(error, _NotTakenError) else 0.0
    return max(_PAUSE_SECONDS, wanted)


def _once(url: str, body: bytes) -> None:
    """Raises _NotTakenError; `from None`, as httpx's errors may hold the URL."""
    import httpx

    client = web_client({}, verify=trusted_authorities(), connect=_TRY_SECONDS, silence=_TRY_SECONDS)
    headers = {"Content-Type": "application/json"}
    try:
        with (
            client,
            # The answer's content is of no interest, and is not read.
            client.stream("POST", url, content=body, headers=headers, follow_redirects=False) as response,
        ):
            _check(response)
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        raise _failed(error) from None


def _check(response: httpx.Response) -> None:
    status = response.status_code
    if response.is_success:
        return
    if response.is_redirect:
        raise _NotTakenError(f"it leads to another address ({status}), and is not followed there")
    pause = retry_after(response)
    # One who asks for more time than there is would say the same again.
    passing = status in _PASSING and pause <= _LONGEST_PAUSE
    raise _NotTakenError(f"it answered {status}", passing=passing, pause=pause)


def _failed(error: Exception) -> _NotTakenError:
    import httpx

    if untrusted := certificate_error(error):
        return _NotTakenError(f"its certificate is not trusted: {untrusted}")
    if isinstance(error, httpx.TimeoutException):
        return _NotTakenError("no answer in time", passing=True)
    if isinstance(error, httpx.TransportError | OSError):
        return _NotTakenError(f"no connection ({type(error).__name__})", passing=True)
    return _NotTakenError(f"its URL cannot be used ({type(error).__name__})")
