"""The two sides of a failover, for tests: prod serves, dr stands by."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from sohistio.failover.world import Side, World
from sohistio.model.dns import DnsRecord, DnsSettings, Manual, NameServer, RecordAnswer
from sohistio.model.failover import FailoverSettings, Probe
from sohistio.model.failover_mark import FailoverMark, Stage
from sohistio.model.state import MeshDeployment, ObjectRef

INGRESS = ObjectRef("Deployment", "istio-system", "istio-ingressgateway")
EGRESS = ObjectRef("Deployment", "istio-system", "istio-egressgateway")
PROBE = Probe("https://app.example.com/", 200, "x-region: {environment}", None, None, 3)
SETTINGS = FailoverSettings(
    DnsSettings(DnsRecord("app.example.com", "example.com"), (NameServer("10.0.0.4"),), 60, Manual("ask", 60)),
    (PROBE,),
    600,
    None,
)
ADDRESSES = {"prod": "10.1.0.1", "dr": "10.2.0.1"}


def gateways(pods: int, ready: int | None = None) -> tuple[MeshDeployment, ...]:
    found = pods if ready is None else ready
    return tuple(MeshDeployment(ref, "gateway", pods, found, pods) for ref in (INGRESS, EGRESS))


def mark(stage: Stage | None, switched: str = "") -> FailoverMark | None:
    return None if stage is None else FailoverMark(stage, "2026-11-26T03:00:00+00:00", "ada", switched)


def side(name: str, pods: int, stage: Stage | None = None, **changes: Any) -> Side:
    found = Side(
        environment=name,
        server=f"https://{name}",
        address=ADDRESSES[name],
        pinned=ADDRESSES[name],
        version="1.31.1",
        gateways=gateways(pods),
        expected=(INGRESS, EGRESS),
        minimums={INGRESS: 3, EGRESS: 3},
        maximums={INGRESS: 10, EGRESS: 10},
        mark=mark(stage),
    )
    return replace(found, **changes)


def world(
    named: str = "prod", *, dr: int = 0, prod: int = 3, stage: Stage | None = None, prod_stage: Stage | None = None
) -> World:
    """Pods of each side's gateways, and the stages that the records have."""
    return World(
        side("prod", prod, prod_stage),
        side("dr", dr, stage),
        "app.example.com",
        RecordAnswer((ADDRESSES[named],), 60),
        named,
    )


SETTINGS_WITHOUT_PROBES = replace(SETTINGS, probes=())
SETTINGS_THAT_TELL_NOTHING = replace(SETTINGS, probes=(replace(PROBE, header=None, ca=Path("ca.pem")),))
