"""What commands share: consoles, JSON on stdout, durations, approval."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sohistio.errors import RefusedError, SohistioError, UsageError
from sohistio.model.durations import seconds_of
from sohistio.output.console import console, say
from sohistio.output.documents import print_json
from sohistio.plan.plan import SCHEMA_VERSION, Mode
from sohistio.planning.planned import Planned
from sohistio.planning.session import Session, Where
from sohistio.run.progress import error_document
from sohistio.system.interruption import came
from sohistio.system.sanitize import one_line
from sohistio.system.streams import can_ask

__all__ = ["console", "print_json", "say"]


@dataclass(frozen=True, slots=True)
class Approval:
    """What the command line approves: `--yes`, and `--confirm NAME` for a protected environment."""

    yes: bool = False
    confirm: str | None = None


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds, where the command line overrides the environment's."""

    component_seconds: float | None = None
    total_seconds: float | None = None


def timeouts_of(component: str | None, total: str | None) -> Timeouts:
    """Read `--component-timeout` and `--timeout`. Raises UsageError."""
    return Timeouts(_seconds("--component-timeout", component), _seconds("--timeout", total))


def _seconds(flag: str, text: str | None) -> float | None:
    if text is None:
        return None
    try:
        return float(seconds_of(text))
    except ValueError as error:
        what = str(error) if str(error).startswith("too long") else "not a duration"
        raise UsageError(f"{flag} {text!r} is {what}", todo="Give one such as 90s, 5m or 1h.") from error


def session_of(where: Where) -> Session:
    """A session that tells what it is doing on stderr."""
    out = console(stderr=True)
    return Session(where, lambda line: out.print(line, style="dim", soft_wrap=not out.is_terminal))


@contextmanager
def errors_as_json(json: bool) -> Iterator[None]:
    """With --output json an error is a document on stdout as well; its text still goes to stderr."""
    try:
        yield
    except SohistioError as error:
        if json:
            print_json({"schemaVersion": SCHEMA_VERSION, "kind": "Error", "error": error_document(came() or error)})
        raise


def refusal(planned: Planned) -> SohistioError:
    """The error of a plan that must not be carried out."""
    details = planned.details or (planned.plan.reasons if planned.plan.mode is Mode.UNKNOWN else ())
    return RefusedError(planned.plan.refusal, details=details, todo=planned.todo or "Nothing was changed.")


def refuse_unapproved(planned: Planned, approval: Approval) -> None:
    """Stop at once where the flags do not approve the plan and nobody can be asked. Raises RefusedError."""
    environment = planned.session.environment
    if approval.confirm is not None and approval.confirm != environment.name:
        raise RefusedError(
            f"--confirm names {approval.confirm!r}, the environment is {environment.name!r}",
            todo="Check which environment you mean.",
        )
    at_terminal, danger = is_at_terminal(), _danger(planned)
    if approval.confirm is None and _needs_name(planned) and not at_terminal:
        raise RefusedError(
            f"this plan {danger}, and the environment's name was not confirmed",
            todo=f"Read the plan, then give --yes --confirm {environment.name}.",
        )
    if danger and not approval.yes and not at_terminal:
        raise RefusedError(f"this plan {danger}, and nobody approved it", todo="Read the plan, then give --yes.")


def approve(planned: Planned, approval: Approval) -> None:
    """Ask, or take the flags for an answer (README, "Approval"). Raises RefusedError."""
    refuse_unapproved(planned, approval)
    environment, danger, at_terminal = planned.session.environment, _danger(planned), is_at_terminal()
    if _needs_name(planned) and approval.confirm is None:
        if ask(f"This plan {danger}. Type the environment's name to go on: ") != environment.name:
            raise RefusedError("not approved: the name typed is another", todo="Nothing was changed.")
    elif not approval.yes and at_terminal and ask("Go on? [y/N] ").lower() not in ("y", "yes"):
        raise RefusedError("not approved", todo="Nothing was changed.")


def _needs_name(planned: Planned) -> bool:
    return planned.plan.purges or (bool(_danger(planned)) and planned.session.environment.protected)


def _danger(planned: Planned) -> str:
    """What makes the plan need approval. On a sandbox nobody's traffic goes through the gateways of a standby."""
    silenced = "" if planned.session.sandbox is not None else planned.plan.switches_off
    return " and ".join(part for part in (planned.plan.danger, silenced) if part)


def is_at_terminal() -> bool:
    """Whether there is somebody to ask."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def ask(question: str) -> str:
    """Ask on the terminal's stderr, so that stdout stays clean. Nobody approves what could not be shown: no answer."""
    sys.stderr.write(one_line(question))
    sys.stderr.flush()
    try:
        return sys.stdin.readline().strip() if can_ask() else ""
    except OSError:  # the terminal has gone
        return ""
