"""What is known of one environment after a look at it. Plain data; all times are in seconds since 1970."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sohistio.model.readiness import ReadinessItem
from sohistio.model.record import RunEntry
from sohistio.model.state import MeshDeployment


class Trouble(StrEnum):
    """Why an environment could not be read whole."""

    NONE = ""
    INVALID = "invalid"
    """Its files are not valid, or name a variable that is not set."""
    UNREACHABLE = "unreachable"
    """Its API server did not answer, or not in time."""
    UNREAD = "not read"
    """It answers, but something in the way is not to be understood or not permitted."""


@dataclass(frozen=True, slots=True)
class LastRun:
    """The newest run of the record, and when it ended: began, where it did not end; None where that is no time."""

    entry: RunEntry
    at: float | None


@dataclass(frozen=True, slots=True)
class Drift:
    """How the cluster differs from the environment's manifest. `by_hand` are fields that another field manager than
    istioctl's wrote, `editors` those managers. Where an upgrade is due, what it changes is in it, too.
    """

    objects: int
    fields: int
    by_hand: int = 0
    editors: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.objects)


@dataclass(frozen=True, slots=True)
class Sidecars:
    """Workloads whose pods lack the current sidecar: those that a run restarts, and those that it leaves alone."""

    stale: int
    left_alone: int = 0


@dataclass(frozen=True, slots=True)
class Ingress:
    """The ingress gateway's address: the one that the environment wants, empty where it names none, and those that its
    Service has.
    """

    wanted: str
    actual: tuple[str, ...] = ()

    @property
    def is_right(self) -> bool:
        """Whether it has an address, and the wanted one."""
        return self.wanted in self.actual if self.wanted else bool(self.actual)


@dataclass(frozen=True, slots=True)
class Certificates:
    """The certificate that ends first, of the CA and of gateways; empty and None where there is none. `soon` are all
    that end soon, or have ended. `unread` are those that the user lacks permission to look at: one may end sooner.
    """

    name: str = ""
    expires: float | None = None
    soon: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Lock:
    """A run at work: who holds the lock, since when, and its last sign of life."""

    holder: str
    since: float
    renewed: float


@dataclass(frozen=True, slots=True)
class StandbyStatus:
    """Of a standby, or of the side that it stands by for: its stage in a failover, and what was last done for it.

    `stage` is empty where no failover ever was; `recorded` is False where only DNS says that the standby serves. The
    runs are None where there was none that ended well. `left` is how many differences the last sync left, `readiness`
    what a rehearsal or a failover found last. `stands_by` is False of the other side, which is neither rehearsed nor
    synced.
    """

    stage: str
    rehearsed: LastRun | None
    synced: LastRun | None
    left: int = 0
    recorded: bool = True
    readiness: tuple[ReadinessItem, ...] = ()
    stands_by: bool = True


@dataclass(frozen=True, slots=True)
class EnvironmentStatus:
    """One environment. `problem` says why it could not be read, `hint` what to do (the rest is what is known all the
    same); `pending` what an install would do, empty where the cluster is in sync; `refused` where it would be refused.
    `missing` says what could not be read though the rest could.
    """

    environment: str
    cluster: str = ""
    server: str = ""
    installed: str = ""
    target: str = ""
    mode: str = ""
    pending: str = ""
    refused: bool = False
    drift: Drift | None = None
    sidecars: Sidecars | None = None
    gateways: tuple[MeshDeployment, ...] = ()
    ingress: Ingress | None = None
    certificates: Certificates | None = None
    last_run: LastRun | None = None
    lock: Lock | None = None
    standby: StandbyStatus | None = None
    missing: tuple[str, ...] = ()
    trouble: Trouble = Trouble.NONE
    problem: str = ""
    hint: str = ""

    @property
    def in_sync(self) -> bool | None:
        """Whether an install would change nothing; None where that is not known."""
        return None if self.problem else not self.pending
