"""What must hold before traffic moves: the readiness checks, and the team's own program."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

from sohistio.checks.preflight.context import Sides
from sohistio.checks.preflight.report import Report
from sohistio.checks.readiness import acceptable, readiness_of
from sohistio.checks.result import CheckResult, Result
from sohistio.errors import FailedError, RefusedError
from sohistio.model.mode import Mode
from sohistio.model.readiness import LONGEST_MESSAGE, Outcome, Readiness, ReadinessItem
from sohistio.planning.failover import Pair
from sohistio.planning.sequences import Sequence
from sohistio.run.reporter import Reporter
from sohistio.system.program import run_program

_HOOK, _REHEARSAL = "failover-hook", "failover-rehearsal"
_DOCS = "docs/failover.md#it-refuses"


def require_readiness(sides: Sides, sequence: Sequence, reporter: Reporter) -> Readiness:
    """What was found, for the record. Raises RefusedError with what does not hold and the state of the world."""
    this_is_it = {_REHEARSAL} if sequence.mode is Mode.REHEARSE else set()
    accepted = sides.pair.accepted.rules | this_is_it
    report = readiness_of(sides, accepted)
    reporter.preflight(report)
    if not report.failures:
        return found_in(report, sides.pair.accepted.rules, datetime.now(UTC).isoformat(timespec="seconds"))
    lines = [line for item in report.failures for line in (f"{item.name}: {item.message}", f"  → {item.hint}")]
    names = [name for name in dict.fromkeys(item.name for item in report.failures) if name in acceptable()]
    flags = " ".join(f"--accept {name}" for name in names)
    raise RefusedError(
        f"{report.environment} is not ready to take over",
        details=(*lines, *sides.observed.world.lines()),
        todo="Nothing was changed. Fix them." + (f' Or, if you know better: {flags} --because "…".' if flags else ""),
        docs=_DOCS,
    )


def found_in(report: Report, accepted: frozenset[str], now: str) -> Readiness:
    """Each check once, by the worst of its results; but for the rehearsal, whose time the record has by itself."""
    worst: dict[str, ReadinessItem] = {}
    order = list(Outcome)
    for check in report.checks:
        if check.name in accepted or check.name == _REHEARSAL:
            continue
        item = ReadinessItem(check.name, _outcome(check), check.message[:LONGEST_MESSAGE], now)
        known = worst.get(check.name)
        if known is None or order.index(item.result) < order.index(known.result):
            worst[check.name] = item
    return Readiness(report.environment, tuple(worst.values()), accepted - {_REHEARSAL})


def _outcome(check: CheckResult) -> Outcome:
    if check.result is Result.FAILED:
        return Outcome.FAILED if check.breaks else Outcome.WARNING
    return Outcome.PASSED if check.result is Result.PASSED else Outcome.SKIPPED


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
