"""Environments as a look may find them: one of each state, with text in them that no page and no terminal may obey."""

from __future__ import annotations

from dataclasses import replace

from sohistio.fleet.row import (
    Certificates,
    Drift,
    EnvironmentStatus,
    Ingress,
    LastRun,
    Lock,
    Sidecars,
    StandbyStatus,
    Trouble,
)
from sohistio.model.mode import Mode
from sohistio.model.record import RunEntry
from sohistio.model.state import ISTIO_NAMESPACE, MeshDeployment, ObjectRef

NOW = 1_795_750_000.0
"""2026-11-27 03:26:40 UTC."""
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>\x1b[2J\n</style>&amp;\u202eesrever"


def last_run(seconds: float | None, who: str = "ann", outcome: str = "done", mode: Mode = Mode.INSTALL) -> LastRun:
    """A run that ended so many seconds before NOW; at a time that nobody can read, where None."""
    entry = RunEntry("1", mode, "qa", "", "", "", "1.31.1", who, "agent", "", "2026-11-27T00:00:00+00:00", outcome)
    return LastRun(entry, None if seconds is None else NOW - seconds)


def gateway(name: str, ready: int = 3, desired: int = 3) -> MeshDeployment:
    """A gateway in istio-system."""
    return MeshDeployment(ObjectRef("Deployment", ISTIO_NAMESPACE, name), "gateway", desired, ready, desired)


def in_sync(name: str) -> EnvironmentStatus:
    """With nothing to do."""
    return EnvironmentStatus(
        name,
        cluster=f"aks-{name}",
        server=f"https://{name}.example:443",
        installed="1.31.1",
        target="1.31.1",
        mode="none",
        drift=Drift(0, 0),
        sidecars=Sidecars(0),
        gateways=(gateway("istio-egressgateway"), gateway("istio-ingressgateway")),
        ingress=Ingress("10.20.20.188", ("10.20.20.188",)),
        certificates=Certificates("Secret istio-system/web-tls", NOW + 200 * DAY),
        last_run=last_run(3 * DAY),
    )


def drifted(name: str) -> EnvironmentStatus:
    """With hand edits, stale sidecars, a gateway that lacks pods, another address and an end that is near."""
    return replace(
        in_sync(name),
        mode="reinstall",
        pending="reinstall (0 created, 3 changed, 0 removed)",
        drift=Drift(3, 7, 2, ("kubectl-edit", "lens")),
        sidecars=Sidecars(4, 1),
        gateways=(gateway("istio-egressgateway", 2), gateway("istio-ingressgateway", 0)),
        ingress=Ingress("10.20.20.188", ("10.20.20.9",)),
        certificates=Certificates("Secret istio-system/web-tls", NOW + 9 * DAY, ("Secret istio-system/web-tls",)),
        last_run=last_run(5 * HOUR, "bob", "failed"),
        lock=Lock("ann@host run 1", NOW - 4 * MINUTE, NOW - 3),
        missing=("a Gateway names Secret istio-system/gone, which does not exist",),
    )


def behind(name: str) -> EnvironmentStatus:
    """A minor behind."""
    changes = "upgrade (0 created, 5 changed, 0 removed)"
    return replace(
        in_sync(name), installed="1.30.5", mode="upgrade", pending=changes, drift=Drift(5, 5), sidecars=Sidecars(12)
    )


def standby(name: str) -> EnvironmentStatus:
    """In sync, synced and rehearsed a while ago."""
    found = StandbyStatus("standby", last_run(40 * DAY, mode=Mode.REHEARSE), last_run(2 * DAY, mode=Mode.SYNC), left=3)
    off = (gateway("istio-egressgateway", 0, 0), gateway("istio-ingressgateway", 0, 0))
    return replace(in_sync(name), standby=found, gateways=off)


def empty(name: str) -> EnvironmentStatus:
    """Without a mesh."""
    created = "install (48 created, 0 changed, 0 removed)"
    return EnvironmentStatus(name, f"aks-{name}", "", "", "1.31.1", "install", created, ingress=Ingress(""))


def away(name: str) -> EnvironmentStatus:
    """Nobody answers."""
    return EnvironmentStatus(
        name,
        target="1.31.1",
        trouble=Trouble.UNREACHABLE,
        problem="the API server https://10.9.8.7:443 cannot be reached: connection refused",
        hint="Check the network (VPN, private cluster) and that the cluster is running.",
    )


def invalid(name: str) -> EnvironmentStatus:
    """Its file is wrong, in more words than a line has room for."""
    return EnvironmentStatus(
        name,
        trouble=Trouble.INVALID,
        problem=f"environments/{name}/environment.yaml is not valid: line 3: istio.versio is not known; did you mean "
        "istio.version?",
        hint="Correct the file.",
    )


def hostile() -> EnvironmentStatus:
    """Everywhere that a cluster's text comes to."""
    return replace(
        drifted("evil"),
        cluster=HOSTILE,
        pending=HOSTILE,
        drift=Drift(1, 1, 1, (HOSTILE,)),
        ingress=Ingress("10.20.20.188", (HOSTILE,)),
        certificates=Certificates(HOSTILE, NOW + DAY, (HOSTILE,), (HOSTILE,)),
        last_run=last_run(HOUR, HOSTILE, HOSTILE),
        lock=Lock(HOSTILE, NOW, NOW),
        missing=(HOSTILE,),
    )


def hostile_problem() -> EnvironmentStatus:
    """The same of an error's text."""
    return replace(away("rude"), problem=HOSTILE, hint=HOSTILE)


def fleet() -> list[EnvironmentStatus]:
    """One of each."""
    return [in_sync("dev"), standby("dr"), away("int"), behind("local"), drifted("prod"), empty("qa"), invalid("test")]
