"""Free ports on loopback."""

from __future__ import annotations

import random
import socket

from sohistio.errors import FailedError

_RANGE = range(20_000, 32_000)
"""Below the range Linux takes for outgoing connections, so that none of those gets in between."""


def free_ports(count: int) -> list[int]:
    """This many different TCP ports that nobody listens on; raises FailedError where there are too few."""
    found: list[int] = []
    for port in random.sample(_RANGE, 2_000):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        found.append(port)
        if len(found) == count:
            return found
    raise FailedError(f"no {count} free ports between {_RANGE.start} and {_RANGE.stop} on 127.0.0.1")
