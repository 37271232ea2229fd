"""What must hold before traffic moves: the readiness checks, and the team's own program."""

from __future__ import annotations

import threading

from sohistio.checks.preflight.context import Sides
from sohistio.checks.readiness import acceptable, readiness_of
from sohistio.errors import FailedError, RefusedError
from sohistio.model.mode import Mode
from sohistio.planning.failover import Pair
from sohistio.planning.sequences import Sequence
from sohistio.run.reporter import Reporter
from sohistio.system.program import run_program

_HOOK, _REHEARSAL = "failover-hook", "failover-rehearsal"
_DOCS = "docs/failover.md#it-refuses"


def require_readiness(sides: Sides, sequence: Sequence, reporter: Reporter) -> None:
    """Raises RefusedError with the checks that do not hold and the state of the world."""
    this_is_it = {_REHEARSAL} if sequence.mode is Mode.REHEARSE else set()
    report = readiness_of(sides, sides.pair.accepted.rules | this_is_it)
    if report.warnings:
        reporter.checks(report.warnings)
    if not report.failures:
        return
    lines = [line for item in report.failures for line in (f"{item.name}: {item.message}", f"  → {item.hint}")]
    names = [name for name in dict.fromkeys(item.name for item in report.failures) if name in acceptable()]
    accepted = " ".join(f"--accept {name}" for name in names)
    raise RefusedError(
        f"{report.environment} is not ready to take over",
        details=(*lines, *sides.observed.world.lines()),
        todo="Nothing was changed. Fix them."
        + (f' Or, if you know better: {accepted} --because "…".' if accepted else ""),
        docs=_DOCS,
    )


def run_hook(pair: Pair, sequence: Sequence) -> None:
    """The team's own program says whether traffic may move. Raises RefusedError with its last lines."""
    program = pair.settings.before
    if program is None or _HOOK in pair.accepted.rules:
        return
    pair.standby.say(f"running {program.argv[0]}")
    variables = {"FROM": sequence.source, "TO": sequence.to, "STAGE": sequence.mode.value}
    try:
        run_program(program.argv, program.folder, variables=variables, seconds=program.seconds, stop=threading.Event())
    except FailedError as error:
        raise RefusedError(
            f"the program that must succeed before a failover did not: {error.what}",
            details=error.details,
            todo=f'Nothing was changed. Fix what it says; or, if you know better: --accept {_HOOK} --because "…".',
            docs=_DOCS,
        ) from error
