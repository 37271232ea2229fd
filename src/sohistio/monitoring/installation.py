"""What the objects of an environment's monitoring are made from. Plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sohistio.model.monitoring import UI_PORTS, Monitoring, Part
from sohistio.model.policy import GatewayPlace
from sohistio.model.state import ISTIO_NAMESPACE


@dataclass(frozen=True, slots=True)
class Installation:
    """An environment, as far as monitoring goes.

    `images` are complete names, with the pin where there is one. `exposing` are the gateways that serve the pages,
    where any does; `gateways` are `namespace/name` of all that the mesh has. `rehearsed` is when a standby's last
    rehearsal began, in seconds since 1970, 0 where nobody knows. `certificate_seconds` is the life of a
    workload's certificate. `dashboards` are Grafana's files by name.
    """

    environment: str
    monitoring: Monitoring
    images: Mapping[Part, str]
    pull_secret: str = ""
    exposing: tuple[GatewayPlace, ...] = ()
    gateways: tuple[str, ...] = ()
    is_standby: bool = False
    rehearsed: int = 0
    certificate_seconds: int = 24 * 3600
    dashboards: Mapping[str, str] = field(default_factory=dict)

    @property
    def host(self) -> str:
        """Under which host people reach the pages; empty where none are exposed."""
        return self.monitoring.expose.host if self.monitoring.expose else ""

    def page(self, part: Part) -> str:
        """A part's pages as its own links name them: outside where it is exposed, else by its Service."""
        from_outside = f"https://{self.host}"
        return f"{from_outside if self.host else f'http://{part}.{ISTIO_NAMESPACE}.svc'}/{part}/"


def pages_inside(part: Part) -> str:
    """Where other parts reach the API below a part's pages."""
    return f"http://{part}.{ISTIO_NAMESPACE}.svc:{UI_PORTS[part]}/{part}"
