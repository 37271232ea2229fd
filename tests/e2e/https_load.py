"""Requests as a client outside the cluster sends them: to a pinned address, with SNI, without keep-alive or retries."""

from __future__ import annotations

import http.client
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from requests_by_address import Answer, get, paced, trusting


@contextmanager
def load(address: str, host: str, authority: str, per_second: int) -> Iterator[Counter[str]]:
    """Send so many requests a second until the block ends; counts the answers by status, the others by error."""
    answers: Counter[str] = Counter()
    trusted = trusting(authority)

    def ask() -> None:
        try:
            answers[str(get(address, host, trusted).status)] += 1
        except (OSError, http.client.HTTPException) as error:
            answers[repr(error)] += 1

    with paced(ask, per_second):
        yield answers


def object_of(answer: Answer) -> dict[str, Any]:
    """The JSON that a backend answers."""
    found: dict[str, Any] = json.loads(answer.body)
    return found
