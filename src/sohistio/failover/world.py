"""What is known of both sides before traffic moves. Plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sohistio.model.dns import RecordAnswer
from sohistio.model.failover_mark import FailoverMark, Stage
from sohistio.model.state import MeshDeployment, ObjectRef


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two environments; `server` is its API server.

    `problem` says why its cluster could not be read, and `hint` what to do about it. `address` is where its ingress
    gateway answers, `pinned` the one in its environment file, empty where there is none; `minimums` and `maximums` are
    the autoscalers' numbers of pods; a gateway without an autoscaler has the environment's minimum, and no maximum.
    """

    environment: str
    server: str = ""
    address: str = ""
    pinned: str = ""
    version: str = ""
    gateways: tuple[MeshDeployment, ...] = ()
    expected: tuple[ObjectRef, ...] = ()
    minimums: Mapping[ObjectRef, int] | None = None
    maximums: Mapping[ObjectRef, int] | None = None
    mark: FailoverMark | None = None
    problem: str = ""
    hint: str = ""

    @property
    def is_reachable(self) -> bool:
        """Whether its cluster could be read."""
        return not self.problem

    @property
    def stage(self) -> Stage | None:
        """What its record says."""
        return self.mark.stage if self.mark else None

    @property
    def asleep(self) -> tuple[MeshDeployment, ...]:
        """The gateways that nobody but a failover scales up: those at 0, and those below their minimum that have no
        autoscaler."""
        return tuple(
            item
            for item in self.gateways
            if item.desired == 0 or (item.ref in self.unscaled and item.desired < self.minimum(item.ref))
        )

    @property
    def unscaled(self) -> tuple[ObjectRef, ...]:
        """The gateways without an autoscaler."""
        return tuple(item.ref for item in self.gateways if item.ref not in (self.maximums or {}))

    @property
    def is_on(self) -> bool:
        """Whether every gateway has as many ready pods as its autoscaler wants at least."""
        return bool(self.gateways) and all(item.ready >= self.minimum(item.ref) for item in self.gateways)

    @property
    def is_off(self) -> bool:
        """Whether no gateway has a pod."""
        return all(item.desired == item.total == 0 for item in self.gateways)

    def minimum(self, ref: ObjectRef) -> int:
        """The least number of pods of a gateway."""
        return (self.minimums or {}).get(ref, 1)

    def line(self) -> str:
        """For people: what this side does now."""
        if not self.is_reachable:
            return f"{self.environment}: cannot be read ({self.problem})"
        pods = ", ".join(f"{item.ref.short} {item.ready} of {item.desired} ready" for item in self.gateways)
        stage = f"; recorded as {self.stage}" if self.stage else ""
        return f"{self.environment}: {pods or 'no gateways'}; address {self.address or 'none'}{stage}"


@dataclass(frozen=True, slots=True)
class World:
    """Both sides and the DNS record. `named` is the environment that the record leads to."""

    primary: Side
    standby: Side
    record: str
    answer: RecordAnswer
    named: str

    def side(self, environment: str) -> Side:
        """The side of that name."""
        return self.standby if environment == self.standby.environment else self.primary

    def other(self, environment: str) -> Side:
        """The side that is not of that name."""
        return self.primary if environment == self.standby.environment else self.standby

    def lines(self) -> tuple[str, ...]:
        """The state of the world, for every refusal and failure."""
        return (self.primary.line(), self.standby.line(), f"{self.record} leads to {self.named}: {self.answer}")


def last_switch(world: World) -> str:
    """When a run switched the DNS record last, by either cluster's record, ISO 8601 in UTC; empty where nobody knows.

    Where the standby serves and its record is lost, the other side's has when its traffic had left.
    """
    times = [side.mark.switched for side in (world.primary, world.standby) if side.mark]
    left, lost = world.primary.mark, world.standby.mark is None
    if lost and world.named == world.standby.environment and left and left.stage in (Stage.AWAY, Stage.DRAINED):
        times.append(left.since)
    return max(times, default="")
