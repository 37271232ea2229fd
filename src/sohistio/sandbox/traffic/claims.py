"""A sandbox with traffic claims its number on this machine for as long as it runs."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sohistio.errors import RefusedError
from sohistio.sandbox.record import SandboxRecord
from sohistio.sandbox.traffic.addresses import NUMBERS


@dataclass(frozen=True, slots=True)
class Traffic:
    """What `sandbox up --traffic` asks for: how many seconds late load balancers drop an endpoint that goes.

    None is what it had, or 0.
    """

    load_balancer_lag: int | None = None


@contextmanager
def claimed(wanted: bool, last: SandboxRecord | None, asked: Traffic | None) -> Iterator[list[str]]:
    """The supervisor's options for traffic, none where it is not `wanted`.

    Until the end of the block this process holds the claim too; the supervisor inherits it.
    """
    if not wanted:
        yield []
        return
    number, held = claim(last.network if last else None)
    with held:
        held.set_inheritable(True)
        lag = asked.load_balancer_lag if asked else None
        if lag is None:
            lag = last.lag if last else 0
        yield [f"--network={number}", f"--claim={held.fileno()}", f"--load-balancer-lag={lag}"]


def claim(number: int | None = None) -> tuple[int, socket.socket]:
    """Claim this number, or the first free one; it is held until the last copy of the socket is closed.

    An abstract Unix socket is unique in its network namespace, as loopback addresses are, and is freed when its
    process dies. Raises RefusedError where the number, or every number, is taken.
    """
    for wanted in NUMBERS if number is None else (number,):
        held = socket.socket(socket.AF_UNIX)
        try:
            held.bind(f"\0sohistio-sandbox-addresses-{wanted}")
        except OSError as error:
            held.close()
            if error.errno != errno.EADDRINUSE:
                raise
            continue
        return wanted, held
    if number is None:
        raise RefusedError(
            f"{len(NUMBERS)} sandboxes with traffic run on this machine, and there are no addresses for another",
            todo="End one with `sohistio sandbox down --name NAME`.",
        )
    raise RefusedError(
        f"another sandbox has taken the address ranges that this one had (number {number})",
        details=("Its Services keep the addresses they were created with, so it cannot take other ranges.",),
        todo="End the other one, or begin anew: `sohistio sandbox down`, then `up --traffic`.",
    )
