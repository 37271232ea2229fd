"""Sends requests to one API server: with a deadline, a few times where that is safe, and as a run has its say."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from copy import copy

from sohistio.adapters.kubernetes.errors import (
    KubeError,
    Object,
    cause_of,
    document_of,
    is_of_a_webhook,
    refused,
    unreachable,
    untrusted,
)
from sohistio.adapters.kubernetes.kubeconfig import client_for
from sohistio.adapters.kubernetes.requests import (
    Conduct,
    Request,
    bearing,
    is_or_wraps,
    pause_before,
    token_of,
    yaml_of,
)
from sohistio.adapters.kubernetes.stream import Stream
from sohistio.model.kube_target import Bearer, KubeTarget

# A write may wait for admission webhooks (10 s each by default); a read has nothing to wait for.
REQUEST_SECONDS = 30
READ_SECONDS = 15
# A listing that keeps expiring, or a failing server, ends after so many tries; a silent one sooner: each takes long.
TRIES = 4
TRIES_IN_SILENCE = 2
Taking = Callable[[Stream], None] | None


class Sender:
    """Of one cluster. Safe to use from several threads."""

    def __init__(self, target: KubeTarget, bearer: Bearer | None) -> None:
        self._client = client_for(target, with_user=bearer is None)
        self._bearer = bearer
        self.server = str(self._client.configuration.host)
        self._seconds: float = REQUEST_SECONDS
        self._conduct: Conduct | None = None

    def within(self, seconds: float) -> Sender:
        """The same with another deadline."""
        other = copy(self)
        other._seconds = seconds
        return other

    def under(self, conduct: Conduct) -> Sender:
        """The same for a run."""
        other = copy(self)
        other._conduct = conduct
        return other

    def document(self, asked: Request, headers: Mapping[str, str]) -> Object:
        """The answer, read; a run asks again for as long as it waits. Raises KubeError."""
        while True:
            try:
                return document_of(self.server, self.sent(asked, headers))
            except KubeError as error:
                lasts = not error.passing or (asked.is_dry_run and error.status)
                if self._conduct is None or asked.writes or lasts:
                    raise
                self._conduct.read_failed(error)

    def sent(self, asked: Request, headers: Mapping[str, str], take: Taking = None) -> bytes:
        """The answer; with `take` that gets a good one as it comes, and nothing is returned. Raises KubeError."""
        from sohistio.adapters.kubernetes.library import ApiException, urllib3

        method, path, body = asked.method, asked.path, asked.body
        rejected = ""
        for attempt in range(TRIES):
            last = attempt == TRIES - 1
            token = token_of(self._bearer, self.server, rejected)
            arguments = self._client.param_serialize(
                method,
                path,
                query_params=list(asked.query.items()),
                header_params={**headers, **bearing(token)},
                # Bytes are sent as they stand.
                body=yaml_of(body) if body is not None and "apply" in headers.get("Content-Type", "") else body,
                auth_settings=["BearerToken"],
            )
            # Whoever gives tokens may have been slow: what the run may do is asked for last.
            seconds = self._seconds_for(asked)
            try:
                response = self._client.call_api(*arguments, _request_timeout=seconds)
                data: bytes = b"" if take and response.status == 200 else response.read()
            # The kubernetes package makes an ApiException of urllib3's SSLError.
            except (urllib3.exceptions.HTTPError, ApiException) as error:
                cause = cause_of(error)
                if "CERTIFICATE" in cause:
                    raise untrusted(self.server, cause) from error
                silent = is_or_wraps(error, urllib3.exceptions.TimeoutError) and attempt + 1 >= TRIES_IN_SILENCE
                not_sent = is_or_wraps(error, urllib3.exceptions.NewConnectionError)
                if last or silent or not (asked.ends_the_same or not_sent):
                    raise unreachable(self.server, cause) from error
                time.sleep(0.2 * 2**attempt)
                continue
            if self._conduct and response.status != 429 and response.status < 500:
                self._conduct.answered()
            if 200 <= response.status < 300:
                if take:
                    take(Stream(response.response))
                return data
            if response.status == 401 and token and not rejected and not last:
                rejected = token  # it ended on its way; the server has not begun anything
                continue
            failing = response.status >= 500 and asked.ends_the_same
            failing = failing and not (asked.is_dry_run and is_of_a_webhook(data))
            if last or not (failing or response.status == 429):
                raise refused(method, path, response.status, data)
            time.sleep(pause_before(response.headers.get("Retry-After", ""), attempt))
        raise AssertionError("unreachable")  # pragma: no cover

    def _seconds_for(self, asked: Request) -> float:
        """The deadline of one try. Raises what the conduct does."""
        seconds = min(self._seconds, READ_SECONDS) if asked.method == "GET" else self._seconds
        if self._conduct is None:
            return seconds
        return min(seconds, self._conduct.seconds_for(asked))
