"""Free ports on loopback."""

from __future__ import annotations

import hashlib
import random
import socket
from pathlib import Path

from sohistio.errors import FailedError

_RANGE = range(20_000, 32_000)
"""Below the range Linux takes for outgoing connections, so that none of those gets in between."""
_MIRRORS = range(_RANGE.stop, 32_768)
"""Release mirrors have their own: shells keep the address, so no other part may take it while a sandbox is down."""


def mirror_ports(folder: Path, last: int | None = None) -> list[int]:
    """The ports to try for a sandbox's release mirror, in order, always the same ones for a folder.

    The one that it had `last` comes first. 0, any port, is the end.
    """
    first = int.from_bytes(hashlib.sha256(str(folder).encode()).digest()[:4]) % len(_MIRRORS)
    usual = [*_MIRRORS[first:], *_MIRRORS[:first]]
    return [*dict.fromkeys((*((last,) if last else ()), *usual)), 0]


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
    raise FailedError(
        f"no {count} free ports between {_RANGE.start} and {_RANGE.stop} on 127.0.0.1",
        todo="End what uses them: `ss -ltnp`.",
    )
