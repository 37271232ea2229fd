"""The commands on an environment: plan, install, restart, verify. Each returns its exit code."""

from __future__ import annotations

import json as jsonlib
import re
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from rich.console import Console

from sohistio.checks import CheckResult
from sohistio.checks import verify as run_checks
from sohistio.errors import ExitCode, RefusedError, SohistioError, UsageError
from sohistio.output.error_text import print_error
from sohistio.output.lines import LineObserver
from sohistio.output.tables import checks_view, plan_view, result_line, show
from sohistio.plan import SCHEMA_VERSION, Mode
from sohistio.progress import Observer, RunResult, check_document, error_document
from sohistio.run.runner import Runner
from sohistio.run.steps import gather_evidence
from sohistio.session import Planned, Session, Timeouts, Where

# Columns of a table in a log: enough that names are never folded.
_PIPE_WIDTH = 180
_UNITS = {"s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True, slots=True)
class Approval:
    """What the command line approves: `--yes`, and `--confirm NAME` for a protected environment."""

    yes: bool
    confirm: str | None


def timeouts_of(component: str | None, total: str | None) -> Timeouts:
    """Read `--component-timeout` and `--timeout`. Raises UsageError."""
    return Timeouts(_seconds("--component-timeout", component), _seconds("--timeout", total))


def _seconds(flag: str, text: str | None) -> float | None:
    if text is None:
        return None
    match = re.fullmatch(r"([1-9]\d{0,4})([smh])", text)
    if match is None:
        raise UsageError(f"{flag} {text!r} is not a duration", todo="Give one such as 90s, 5m or 1h.")
    return float(match[1]) * _UNITS[match[2]]


def plan(where: Where, mode: Mode | None, *, json: bool, diff: bool, pending_exit_code: bool) -> int:
    """`sohistio plan`: 0, 3 where a run would be refused, 4 with `--exit-code` and changes pending."""
    with _errors_as_json(json):
        planned = _session(where).planned(mode)
        if json:
            _print_json(planned.plan.document())
        else:
            show(console(), plan_view(planned.plan, diff=diff))
    if planned.plan.refusal:
        print_error(_refusal(planned))
        return ExitCode.REFUSED
    return ExitCode.CHANGES_PENDING if pending_exit_code and planned.plan.changes_pending else ExitCode.OK


def install(where: Where, mode: Mode | None, approval: Approval, timeouts: Timeouts, *, json: bool) -> int:
    """`sohistio install`: plan, show, ask, carry out, verify."""
    with _errors_as_json(json):
        planned = _session(where).planned(mode)
        return _carry_out(planned, approval, timeouts, json=json)


def restart(where: Where, approval: Approval, timeouts: Timeouts, *, json: bool) -> int:
    """`sohistio restart`: only the workloads whose sidecar is not the mesh's."""
    with _errors_as_json(json):
        planned = _session(where).restart_planned()
        return _carry_out(planned, approval, timeouts, json=json)


def verify(where: Where, *, json: bool) -> int:
    """`sohistio verify`: 5 where a check of severity error does not hold."""
    with _errors_as_json(json):
        planned = _session(where).planned()
        if planned.desired is None:
            raise _refusal(planned)
        checks = run_checks(gather_evidence(planned.tools(Timeouts())))
        failed = any(check.breaks for check in checks)
        if json:
            _print_json(_verification(planned.plan.environment, checks))
        else:
            show(console(), checks_view(checks))
        return ExitCode.VERIFICATION_FAILED if failed else ExitCode.OK


def render(where: Where) -> None:
    """`sohistio render`: the one IstioOperator on stdout."""
    sys.stdout.write(_session(where).operator_yaml)


def console(*, stderr: bool = False) -> Console:
    """A console; where it is no terminal, lines are as long as they are and pipes get no trailing blanks to wrap."""
    plain = not (sys.stderr if stderr else sys.stdout).isatty()
    return Console(stderr=stderr, width=_PIPE_WIDTH if plain else None)


def _session(where: Where) -> Session:
    out = console(stderr=True)
    return Session(where, lambda line: out.print(line, style="dim", highlight=False, markup=False))


def _carry_out(planned: Planned, approval: Approval, timeouts: Timeouts, *, json: bool) -> int:
    plan, progress = planned.plan, console(stderr=json)
    show(progress, plan_view(plan))
    if plan.refusal:
        raise _refusal(planned)
    if not plan.changes_pending:
        if json:
            _print_json(RunResult(plan, (), (), None, 0.0).document())
        else:
            progress.print(f"{plan.environment}: up to date, nothing was written", style="green", highlight=False)
        return ExitCode.OK
    _approve(planned, approval)
    total = timeouts.total_seconds or planned.session.environment.timeouts.total_seconds
    with _observer(progress) as observer, _stop_signals() as stop:
        result = Runner(planned.tools(timeouts), observer, stop, total).carry_out(plan)
    if json:
        _print_json(result.document())
    show(progress, checks_view(result.checks), result_line(result))
    if result.error is not None:
        print_error(result.error)
    return result.exit_code


def _approve(planned: Planned, approval: Approval) -> None:
    """Approval rules (DESIGN, "How the mode is decided"); raises RefusedError."""
    plan, environment = planned.plan, planned.session.environment
    if approval.confirm is not None and approval.confirm != environment.name:
        raise RefusedError(
            f"--confirm names {approval.confirm!r}, the environment is {environment.name!r}",
            todo="Check which environment you mean.",
        )
    at_terminal = sys.stdin.isatty() and sys.stderr.isatty()
    needs_name = plan.replaces and environment.protected and approval.confirm is None
    if not approval.yes and not at_terminal and plan.replaces:
        raise RefusedError(
            "this plan uninstalls the old mesh first and nobody approved it",
            todo="Read the plan, then give --yes" + (f" --confirm {environment.name}." if needs_name else "."),
        )
    if needs_name:
        if not at_terminal:
            raise RefusedError(
                f"{environment.name} is protected and its name was not confirmed",
                todo=f"Read the plan, then give --confirm {environment.name}.",
            )
        if _ask(f"{environment.name} is protected. Type its name to go on: ") != environment.name:
            raise RefusedError("not approved: the name typed is another")
    elif not approval.yes and at_terminal and _ask("Go on? [y/N] ").lower() not in ("y", "yes"):
        raise RefusedError("not approved, nothing was changed")


def _ask(question: str) -> str:
    sys.stderr.write(question)
    sys.stderr.flush()
    return sys.stdin.readline().strip()


def _refusal(planned: Planned) -> SohistioError:
    decision, plan = planned.decision, planned.plan
    details = plan.reasons if plan.mode is Mode.UNKNOWN else ()
    return RefusedError(plan.refusal, details=details, todo=decision.todo if decision else _LOOK)


_LOOK = "Check the context, the login and the role, then run it again. Nothing was changed."


def _verification(environment: str, checks: tuple[CheckResult, ...]) -> dict[str, object]:
    failed = any(check.breaks for check in checks)
    return {
        "schemaVersion": SCHEMA_VERSION,
        "kind": "Verification",
        "environment": environment,
        "result": "failed" if failed else "passed",
        "checks": [check_document(check) for check in checks],
    }


def _print_json(document: dict[str, object]) -> None:
    print(jsonlib.dumps(document, indent=2))


@contextmanager
def _errors_as_json(json: bool) -> Iterator[None]:
    """With --output json an error is a document on stdout as well; its text still goes to stderr."""
    try:
        yield
    except SohistioError as error:
        if json:
            _print_json({"schemaVersion": SCHEMA_VERSION, "kind": "Error", "error": error_document(error)})
        raise


@contextmanager
def _observer(console: Console) -> Iterator[Observer]:
    if console.is_terminal:
        from sohistio.output.live import LiveObserver

        with LiveObserver(console) as live:
            yield live
    else:
        yield LineObserver(console.file)


@contextmanager
def _stop_signals() -> Iterator[threading.Event]:
    """Ctrl-C and SIGTERM set the event instead of tearing the run apart."""
    stop = threading.Event()

    def set_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, set_stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
