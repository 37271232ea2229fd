"""Fetching files of a release over HTTP: verified TLS, bounded in size and time, patient with a server in trouble."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

from sohistio.adapters.releases.cache_folder import cannot_store, mebibytes
from sohistio.adapters.releases.mirror import Mirror, may_be_asked, without_secrets
from sohistio.adapters.releases.trust import certificate_error, trusted_authorities
from sohistio.adapters.releases.web import retry_after, web_client
from sohistio.errors import NotObtainedError
from sohistio.model.words import counted

if TYPE_CHECKING:
    import httpx
    import tenacity

# Bytes of the largest archive taken; istioctl's is about 35 MiB.
MAX_ARCHIVE = 200 * 2**20
_MAX_TEXT = 4096
_REPORT_EVERY = 2.0
_RETRIED = (429, 500, 502, 503, 504)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a mirror in trouble is tried, in seconds; a wait it asks for (Retry-After) is kept to `longest_wait`."""

    attempts: int = 5
    first_wait: float = 0.5
    longest_wait: float = 30.0
    connect: float = 10.0
    silence: float = 30.0
    total: float = 900.0


class _TransientError(Exception):
    """Worth another attempt."""

    def __init__(self, message: str, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Downloads:
    """A connection to one mirror; a context manager, and safe to use from several threads.

    Every method raises NotObtainedError with the URL (free of secrets) and what to do.
    """

    def __init__(self, mirror: Mirror, say: Callable[[str], None], patience: Patience | None = None) -> None:
        self._say = say
        self._patience = patience or Patience()
        self._client = _client(mirror, self._patience)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def text(self, url: str) -> str | None:
        """A short text file; None where the mirror has no such file (404)."""

        def once() -> str | None:
            with self._response(url) as response:
                if response.status_code == 404:
                    return None
                body = b"".join(self._body(response, url, _MAX_TEXT))
                return body.decode("utf-8", errors="replace")

        return self._persist(url, once)

    def file(self, url: str, target: Path) -> str | None:
        """Write the file to `target` and return its SHA-256; None where the mirror has no such file (404).

        Each attempt starts afresh, and whatever ends this (Ctrl-C too) leaves no half-written file.
        """

        def once() -> str | None:
            with self._response(url) as response:
                if response.status_code == 404:
                    return None
                return self._save(response, url, target)

        try:
            return self._persist(url, once)
        except BaseException:
            target.unlink(missing_ok=True)
            raise

    @contextmanager
    def _response(self, url: str) -> Iterator[httpx.Response]:
        with self._client.stream("GET", url) as response:
            _check_status(response, url)
            yield response

    def _save(self, response: httpx.Response, url: str, target: Path) -> str:
        digest = hashlib.sha256()
        size = _length(response)
        try:
            with target.open("wb") as output:
                for chunk in self._body(response, url, MAX_ARCHIVE):
                    digest.update(chunk)
                    output.write(chunk)
        except OSError as error:  # httpx turns those of the network into its own
            raise cannot_store(error, target.parent.parent, size) from error
        return digest.hexdigest()

    def _body(self, response: httpx.Response, url: str, limit: int) -> Iterator[bytes]:
        started = reported = time.monotonic()
        expected = _length(response)
        taken = 0
        # Raw: a checksum is of the file as it lies on the mirror, not of what a Content-Encoding makes of it.
        for chunk in response.iter_raw():
            taken += len(chunk)
            now = time.monotonic()
            if max(taken, expected or 0) > limit:
                raise NotObtainedError(
                    f"{without_secrets(url)} is larger than {mebibytes(limit)}",
                    todo="Check what the mirror serves under this name.",
                )
            if now - started > self._patience.total:
                raise _TransientError(f"not complete after {self._patience.total:.0f} seconds")
            if now - reported > _REPORT_EVERY:
                reported = now
                self._say(f"{mebibytes(taken)}{f' of {mebibytes(expected)}' if expected else ''}")
            yield chunk
        if expected is not None and taken != expected:
            raise _TransientError(f"cut off: {taken} of {expected} bytes came")

    def _persist(self, url: str, once: Callable[[], _T]) -> _T:
        import tenacity

        retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(self._patience.attempts),
            wait=self._wait,
            retry=tenacity.retry_if_exception_type(_TransientError),
            before_sleep=self._tell_retry,
            reraise=True,
        )
        try:
            result: _T = retrying(_own_errors, once, without_secrets(url))
            return result
        except _TransientError as error:
            raise NotObtainedError(
                f"{without_secrets(url)} could not be fetched in {counted(self._patience.attempts, 'attempt')}",
                details=(f"the last one: {error}",),
                todo="Check the network, the proxy (HTTPS_PROXY, NO_PROXY) and the mirror (SOHISTIO_ISTIO_MIRROR).",
            ) from error

    def _wait(self, state: tenacity.RetryCallState) -> float:
        import tenacity

        first, longest = self._patience.first_wait, self._patience.longest_wait
        backoff = tenacity.wait_exponential(multiplier=first, max=longest) + tenacity.wait_random(0, first)
        return min(max(backoff(state), _failure(state).retry_after), longest)

    def _tell_retry(self, state: tenacity.RetryCallState) -> None:
        self._say(f"{_failure(state)}; trying again in {state.next_action.sleep if state.next_action else 0:.1f} s")


def _failure(state: tenacity.RetryCallState) -> _TransientError:
    error = state.outcome.exception() if state.outcome else None
    return error if isinstance(error, _TransientError) else _TransientError("failed")


def _client(mirror: Mirror, patience: Patience) -> httpx.Client:
    def check_hop(request: httpx.Request) -> None:
        if not may_be_asked(str(request.url)):
            raise NotObtainedError(
                f"The mirror redirects to an address that is not https: {without_secrets(str(request.url))}",
                todo="Use a mirror that serves or redirects to https.",
            )

    return web_client(
        {"request": [check_hop]},
        verify=trusted_authorities(),
        connect=patience.connect,
        silence=patience.silence,
        auth=mirror.credentials,
    )


def _check_status(response: httpx.Response, url: str) -> None:
    status = response.status_code
    if status in (200, 404):
        return
    if status in _RETRIED:
        raise _TransientError(f"the server answered {status}", retry_after(response))
    hint = {
        401: "Give the mirror's credentials (https://USER:TOKEN@HOST/…) in SOHISTIO_ISTIO_MIRROR.",
        403: "Ask for the right to read from the mirror, or check the credentials in SOHISTIO_ISTIO_MIRROR.",
        407: "Give the proxy's credentials in HTTPS_PROXY.",
    }.get(status, "Check the mirror (SOHISTIO_ISTIO_MIRROR).")
    raise NotObtainedError(f"{without_secrets(url)} could not be fetched: the server answered {status}", todo=hint)


def _own_errors(once: Callable[[], _T], url: str) -> _T:
    """Call `once`, with httpx's errors turned into sohistio's."""
    import httpx

    try:
        return once()
    except httpx.RequestError as error:
        if isinstance(error, httpx.TooManyRedirects):
            raise NotObtainedError(f"{url} redirects too often", todo="Check the mirror's address.") from error
        if untrusted := certificate_error(error):
            raise NotObtainedError(
                f"The certificate of {url} is not trusted",
                details=(untrusted,),
                todo="Set SSL_CERT_FILE to a file with your company's certificate authority (PEM).",
            ) from error
        raise _TransientError(f"{type(error).__name__}: {error}") from error


def _length(response: httpx.Response) -> int | None:
    text = response.headers.get("Content-Length", "")
    return int(text) if text.isdecimal() else None
