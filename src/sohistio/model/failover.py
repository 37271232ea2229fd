"""How an environment's standby takes over: the DNS record, what shows that it answers, and what must hold before."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from sohistio.model.dns import DnsSettings, Program

ENVIRONMENT = "{environment}"
"""In a probe's header and body this stands for the name of the environment that has to answer."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A request whose answer shows which environment gave it. Several in a row, `count`, must show the same.

    `header` is `name: value`, compared without regard to the name's case; `body` is text that the body contains; None
    where it does not matter. `ca` is a PEM file with the authority of the server's certificate, None for the usual
    ones.
    """

    url: str
    status: int
    header: str | None
    body: str | None
    ca: Path | None
    count: int

    def expecting(self, environment: str) -> Probe:
        """The probe as it must succeed where that environment answers."""

        def filled(text: str | None) -> str | None:
            return None if text is None else text.replace(ENVIRONMENT, environment)

        return replace(self, header=filled(self.header), body=filled(self.body))

    @property
    def tells_apart(self) -> bool:
        """Whether its answer differs between environments."""
        return ENVIRONMENT in (self.header or "") + (self.body or "")


@dataclass(frozen=True, slots=True)
class FailoverSettings:
    """All that a standby's environment says of failing over to it.

    `hold_down` is in seconds: for so long after a switch there is no other one. `before` is a program that must succeed
    before anything is switched, such as a look at the database.
    """

    dns: DnsSettings
    probes: tuple[Probe, ...]
    hold_down: int
    before: Program | None
