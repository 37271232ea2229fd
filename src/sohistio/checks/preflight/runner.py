"""Runs checks side by side, each within its deadline; the results come in the order of the checks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from functools import partial

from sohistio.checks.preflight.check import Check, Good, NotAsked, Verdict
from sohistio.checks.preflight.context import Context, UnseenError
from sohistio.checks.result import CheckResult, Result
from sohistio.errors import SohistioError
from sohistio.model.fault import Fault, Severity
from sohistio.system.masked import bug_text
from sohistio.system.parallel import in_time

Found = tuple[CheckResult, ...]
_NO_ANSWER = "Not known: look again from nearer to the cluster; `sohistio check --timeout` gives each check more time."


def look(
    checks: Sequence[Check], context: Context, skipped: AbstractSet[str] = frozenset(), seconds: float | None = None
) -> Found:
    """All results in the order of the checks, at least one for each. `seconds` replaces every check's deadline.

    Nothing is raised: what a check could not read, and a check that does not answer in time, is a check that failed.
    """
    asked = [check for check in checks if check.name not in skipped]
    found = in_time({check.name: (partial(_results, check, context), seconds or check.seconds) for check in asked})
    return tuple(
        result for check in checks for result in found.get(check.name) or _without_answer(check, skipped, seconds)
    )


def _without_answer(check: Check, skipped: AbstractSet[str], seconds: float | None) -> Found:
    if check.name in skipped:
        return (_result(check, NotAsked("skipped by --skip-check")),)
    severity = check.severity if check.mandatory else Severity.WARNING  # it is not known, which is no reason to stop
    return (_result(check, Fault(f"no answer within {seconds or check.seconds:g} s", _NO_ANSWER, severity)),)


def _results(check: Check, context: Context) -> Found:
    return tuple(_result(check, verdict) for verdict in _verdicts(check, context))


def _verdicts(check: Check, context: Context) -> Iterable[Verdict]:
    try:
        found = list(check.look(context))
    except UnseenError as unseen:
        return [NotAsked(f"not looked at: {unseen}")]
    except SohistioError as error:
        return [Fault(error.brief(2), error.todo)]
    except Exception as error:  # noqa: BLE001 — a thread's traceback would be printed into the middle of the table
        return [Fault(f"sohistio has a bug here: {bug_text(error)}", "Report it, please.")]
    return found or [NotAsked("nothing to look at")]


def _result(check: Check, verdict: Verdict) -> CheckResult:
    match verdict:
        case Good():
            return CheckResult(check.name, check.severity, Result.PASSED, verdict.message)
        case NotAsked():
            return CheckResult(check.name, check.severity, Result.SKIPPED, verdict.reason)
        case Fault():
            message = "; ".join((verdict.message, *verdict.details))
            severity = verdict.severity or check.severity
            return CheckResult(check.name, severity, Result.FAILED, message, verdict.hint or check.hint)
