"""A client for the servers of others: verified TLS, the environment's proxies, every hop of a redirect looked at."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from sohistio.errors import NotObtainedError

if TYPE_CHECKING:
    import httpx

MOST_REDIRECTS = 5
Hooks = Mapping[str, list[Callable[..., Any]]]
"""httpx's event hooks: they run for each hop of a redirect."""


def web_client(
    hooks: Hooks, *, verify: ssl.SSLContext, connect: float, silence: float, auth: tuple[str, str] | None = None
) -> httpx.Client:
    """`connect` and `silence` are in seconds. Raises NotObtainedError where the environment's proxies are none."""
    import httpx

    try:
        return httpx.Client(
            verify=verify,
            auth=auth,
            follow_redirects=True,
            max_redirects=MOST_REDIRECTS,
            timeout=httpx.Timeout(silence, connect=connect),
            headers={"Accept-Encoding": "identity", "User-Agent": "sohistio"},
            event_hooks=hooks,
            mounts={f"all://{name}": None for name in ("localhost", "127.0.0.1", "[::1]")},  # never through a proxy
        )
    except (ValueError, ImportError, httpx.InvalidURL):
        raise NotObtainedError(
            "The proxy settings of the environment cannot be used",
            todo="Set HTTPS_PROXY, HTTP_PROXY and ALL_PROXY to http:// or https:// addresses, or unset them.",
        ) from None


def retry_after(response: httpx.Response) -> float:
    """Seconds that a server asks to be left alone, by a number or a date of HTTP; 0 where it says neither."""
    text = response.headers.get("Retry-After", "").strip()
    if text.isdecimal():
        return float(text)
    try:
        return (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError):
        return 0.0
