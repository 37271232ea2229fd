"""Keeps the record while a run works, so that a run killed at any instant leaves word of where it was."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sohistio.adapters.kubernetes.api import KubeApi, KubeError
from sohistio.adapters.kubernetes.hold import Hold, NotConfirmedError
from sohistio.adapters.kubernetes.record_store import write_record
from sohistio.model.failover_mark import Stage, next_mark
from sohistio.model.mode import Mode
from sohistio.model.readiness import Readiness
from sohistio.model.record import Applied, Record, RunEntry
from sohistio.model.sidecars_compared import all_compared
from sohistio.model.state import ClusterState
from sohistio.plan.plan import Plan
from sohistio.plan.steps import CompleteRecord, HoldStandby, InstallIstio, Step
from sohistio.plan.sync_steps import RecordSync
from sohistio.run.progress import RunResult

# For how long a run that has ended by itself waits to say so, where nobody answers.
_PATIENCE_SECONDS = 30.0
_PAUSE_SECONDS = 0.5
# What these put into a cluster may be anything that was in another one, or in a backup.
_OF_ANY_KIND = (Mode.RESTORE, Mode.SYNC)


@dataclass(frozen=True, slots=True)
class Origin:
    """Who runs, where, under which id, and why; and the digest of the environment's files."""

    run_id: str
    who: str
    host: str
    environment_digest: str
    reason: str = ""

    @property
    def identity(self) -> str:
        """As the lock names its holder."""
        return f"{self.who}@{self.host} run {self.run_id}"


class Recorder:
    """Writes one run's entry. The first write must succeed; later ones may fail without ending the run.

    The last one waits a while for a server that is away: the record of a run that has ended must not say "running".
    Nothing is written while the lock is not confirmed: the record may be another run's by then. `readiness` is what was
    just found of a standby; it is kept where the run is on its cluster.
    """

    def __init__(
        self,
        api: KubeApi,
        record: Record | None,
        plan: Plan,
        origin: Origin,
        hold: Hold,
        readiness: Readiness | None = None,
    ) -> None:
        self._api = api.under(hold)
        self._hold = hold
        self._plan = plan
        self._gateways_in = _gateway_namespaces(plan)
        self._record = (record or Record(plan.environment)).with_broken_off().with_gateways_in(self._gateways_in)
        if plan.mode in _OF_ANY_KIND:
            self._record = replace(self._record, beside=None)
        if readiness is not None and readiness.environment == plan.environment:
            self._record = replace(self._record, readiness=readiness.after(self._record.readiness))
        self._entry = RunEntry(
            id=origin.run_id,
            mode=plan.mode,
            environment=plan.environment,
            environment_digest=origin.environment_digest,
            plan_digest=plan.digest(),
            from_version=plan.installed_version,
            to_version=plan.target_version,
            who=origin.who,
            host=origin.host,
            started=_now(),
            reason=origin.reason,
        )

    @property
    def entry(self) -> RunEntry:
        """The run as the record has it by now."""
        return self._entry

    @property
    def began(self) -> float:
        """When the run began, in seconds since 1970."""
        return datetime.fromisoformat(self._entry.started).timestamp()

    def puts_beside(self, parts: frozenset[str]) -> None:
        """What there is beside the mesh, or will be; to be said before `begin`."""
        self._record = replace(self._record, beside=parts)

    def begin(self) -> str:
        """Note that the run has begun; returns the uid of the record's object. Raises KubeError."""
        return write_record(self._api, self._record.with_run(self._entry))

    def mark(self, stage: Stage, accepted: str = "", switched: str = "") -> None:
        """Note how far a failover is; `switched` is when the DNS record was switched, where that is known.

        Raises KubeError: what follows relies on it.
        """
        mark = next_mark(self._record.failover, stage, self._entry.who, _now())
        mark = replace(mark, switched=switched or mark.switched, accepted=accepted)
        self._record = replace(self._record, failover=mark)
        write_record(self._api, self._record.with_run(self._entry))

    def switched(self) -> None:
        """Note that the DNS record was switched just now; the stage stays. Raises KubeError."""
        known = self._record.failover
        self.mark(known.stage if known else Stage.SERVING, known.accepted if known else "", _now())

    def compared(self, state: ClusterState) -> None:
        """Keep, for the entry's end, what a look with dry runs found of the sidecars."""
        self._record = replace(self._record, sidecars=all_compared(state) or self._record.sidecars)

    def step(self, step: Step, backup: str) -> None:
        """Note the step that begins now, and the backup's folder as soon as there is one."""
        self._entry = replace(self._entry, last_step=step.id, backup=backup)
        self._write(self._record.with_run(self._entry))

    def end(self, result: RunResult, backup: str, say: Callable[[str], None]) -> None:
        """Note how it ended; what a finished run applied becomes what can be gone back to.

        Who waits for the server is `say` so.
        """
        self._entry = replace(self._entry, ended=_now(), outcome=result.outcome, backup=backup)
        if result.outcome == "done":
            self._end_rehearsal()
        record = self._record.with_run(self._entry)
        left = [step.left for step in self._plan.steps if isinstance(step, RecordSync)]
        if left and result.outcome == "done":
            record = replace(record, sync_left=left[-1])
        in_place = [step for step in self._plan.steps if isinstance(step, InstallIstio | CompleteRecord)]
        if in_place and result.outcome == "done":
            record = record.with_applied(Applied(str(in_place[-1].version), in_place[-1].operator))
            if self._gateways_in:  # what was anywhere else is removed by now
                record = replace(record, gateway_namespaces=self._gateways_in)
        end = 0.0
        # Who stopped the run is not kept waiting, nor whoever has its lock by now.
        while not (self._write(record) or self._hold.stop.is_set()):
            if not end:
                end = time.monotonic() + _PATIENCE_SECONDS
                say(f"the record of this run cannot be closed yet: trying for {_PATIENCE_SECONDS:.0f} s")
            if time.monotonic() > end:
                return
            self._hold.stop.wait(_PAUSE_SECONDS)

    def _end_rehearsal(self) -> None:
        """A run that switched a standby's gateways off has ended the rehearsal that was killed before it."""
        known = self._record.failover
        off = any(isinstance(step, HoldStandby) for step in self._plan.steps)
        if off and known is not None and known.stage is Stage.REHEARSING:
            self._record = replace(self._record, failover=replace(known, stage=Stage.STANDBY, since=_now()))

    def _write(self, record: Record) -> bool:
        """False where it may well succeed in a while."""
        try:
            write_record(self._api, record)
        except KubeError as error:
            # The run matters more than its diary; the next look at the cluster decides anyway.
            return not (error.passing or isinstance(error, NotConfirmedError))
        return True


def _gateway_namespaces(plan: Plan) -> tuple[str, ...]:
    """Where the plan puts the mesh's Deployments; none where it installs nothing."""
    on = [ref.namespace for step in plan.steps if isinstance(step, InstallIstio) for ref in step.watched]
    off = [ref.namespace for step in plan.steps if isinstance(step, HoldStandby) for ref in step.gateways]
    return tuple(sorted({*on, *off}))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
