"""A certificate as far as sohistio looks at one: never its key. Plain data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Certificate:
    """`fingerprint` is the SHA-256 of its DER form, in hex; `expires` in seconds since 1970, `expires_on` the same as
    an ISO 8601 date in UTC.
    """

    fingerprint: str
    expires: float
    expires_on: str
