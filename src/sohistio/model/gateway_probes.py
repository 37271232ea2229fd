"""The requests that a gateway is judged by while its pods are replaced. Plain data."""

from __future__ import annotations

from dataclasses import dataclass

from sohistio.model.failover import Probe


@dataclass(frozen=True, slots=True)
class GatewayProbes:
    """All of them are sent to the ingress gateway's address: `egress` are those whose answer needs the egress gateway,
    such as a page that calls an external host.
    """

    ingress: tuple[Probe, ...] = ()
    egress: tuple[Probe, ...] = ()

    @property
    def all(self) -> tuple[Probe, ...]:
        """Of every gateway."""
        return (*self.ingress, *self.egress)
