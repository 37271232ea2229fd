"""Runs checks side by side, each within its deadline; the results come in the order of the rows."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet

from sohistio.checks.preflight.check import Fault, Good, NotAsked, Row, Verdict
from sohistio.checks.preflight.context import Scene, UnseenError
from sohistio.checks.result import CheckResult, Result, Severity
from sohistio.errors import SohistioError

Found = tuple[CheckResult, ...]
_NO_ANSWER = "Not known: look again from nearer to the cluster; `sohistio check --timeout` gives each check more time."


def look(
    rows: Sequence[Row], scene: Scene, skipped: AbstractSet[str] = frozenset(), seconds: float | None = None
) -> Found:
    """All results in the order of the rows, at least one for each. `seconds` replaces every row's deadline.

    Nothing is raised: what a check could not read, and a check that does not answer in time, is a check that failed.
    """
    asked = [row for row in rows if row.name not in skipped]
    done: queue.Queue[tuple[str, Found]] = queue.Queue()
    begun = time.monotonic()
    for row in asked:
        # Daemons: one that hangs longer than its deadline must not keep the program from ending.
        threading.Thread(target=_put, args=(row, scene, done.put), name=row.name, daemon=True).start()
    found: dict[str, Found] = {}
    ends = {row.name: begun + (seconds or row.seconds) for row in asked}
    while waiting := [end for name, end in ends.items() if name not in found and end > time.monotonic()]:
        try:
            name, results = done.get(timeout=max(0.0, max(waiting) - time.monotonic()))
        except queue.Empty:
            break
        if time.monotonic() <= ends[name]:
            found[name] = results
    return tuple(result for row in rows for result in found.get(row.name) or _without_answer(row, skipped, seconds))


def _without_answer(row: Row, skipped: AbstractSet[str], seconds: float | None) -> Found:
    if row.name in skipped:
        return (_result(row, NotAsked("skipped by --skip-check")),)
    severity = row.severity if row.mandatory else Severity.WARNING  # it is not known, which is no reason to stop
    return (_result(row, Fault(f"no answer within {seconds or row.seconds:g} s", _NO_ANSWER, severity)),)


def _put(row: Row, scene: Scene, put: Callable[[tuple[str, Found]], None]) -> None:
    put((row.name, tuple(_result(row, verdict) for verdict in _verdicts(row, scene))))


def _verdicts(row: Row, scene: Scene) -> Iterable[Verdict]:
    try:
        found = list(row.look(scene))
    except UnseenError as unseen:
        return [NotAsked(f"not looked at: {unseen}")]
    except SohistioError as error:
        return [Fault(": ".join((error.what, *error.details[:2])), error.todo)]
    except Exception as error:  # noqa: BLE001 — a thread's traceback would be printed into the middle of the table
        return [Fault(f"sohistio has a bug here: {type(error).__name__}: {error}", "Report it, please.")]
    return found or [NotAsked("nothing to look at")]


def _result(row: Row, verdict: Verdict) -> CheckResult:
    match verdict:
        case Good():
            return CheckResult(row.name, row.severity, Result.PASSED, verdict.message)
        case NotAsked():
            return CheckResult(row.name, row.severity, Result.SKIPPED, verdict.reason)
        case Fault():
            message = "; ".join((verdict.message, *verdict.details))
            severity = verdict.severity or row.severity
            return CheckResult(row.name, severity, Result.FAILED, message, verdict.hint or row.hint)
