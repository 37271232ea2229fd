"""How a host outside of the mesh is spoken to. Plain data."""

from __future__ import annotations

from enum import StrEnum


class OutsideTls(StrEnum):
    """Who speaks TLS with an external host: the egress gateway (ORIGINATE), the application itself (PASSTHROUGH), or
    nobody (NONE).
    """

    ORIGINATE = "originate"
    PASSTHROUGH = "passthrough"
    NONE = "none"


class OutsideProtocol(StrEnum):
    """What the application speaks, below TLS."""

    HTTP = "http"
    TCP = "tcp"
