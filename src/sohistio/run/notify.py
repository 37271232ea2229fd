"""Reports each run that changed something to the environment's webhook, and each refusal. It never fails a run."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sohistio.environments.variables import value_in, variables_for
from sohistio.errors import InterruptedRunError, RefusedError, SohistioError
from sohistio.model.notice import REFUSED, Notice
from sohistio.model.record import RunEntry
from sohistio.planning.session import Session
from sohistio.run.origin import person
from sohistio.run.progress import RunResult
from sohistio.system.interruption import ending_at_once
from sohistio.system.sanitize import one_line

_MOST_DETAILS = 20
# When the outermost block began, which knows how long a command took until it was refused.
_BEGUN: ContextVar[float | None] = ContextVar("begun", default=None)


@contextmanager
def refusals_sent(session: Session) -> Iterator[None]:
    """Within the block something is to be changed: a refusal is sent to the webhook, once, and raised on."""
    known = session.environment.notify is not None  # an environment that cannot be read names no webhook
    begun = _BEGUN.get() or time.monotonic()
    outer = _BEGUN.set(begun)
    try:
        yield
    except RefusedError as error:
        if known and not error.sent:
            error.sent = True
            seconds = time.monotonic() - begun
            notice = replace(_notice(session, REFUSED, int(error.exit_code)), seconds=seconds, error=_sanitized(error))
            if unsent := _sent(session, notice):
                session.say(unsent)
        raise
    finally:
        _BEGUN.reset(outer)


def result_sent(session: Session, result: RunResult, killed: Sequence[RunEntry]) -> str:
    """Send how a run ended, with the runs before it that were killed. Returns a line that says why it was not sent."""
    entry = result.entry
    if entry is None:  # nothing was written
        return ""
    notice = replace(
        _notice(session, result.outcome, int(result.exit_code)),
        run=entry,
        at=entry.ended,
        seconds=result.seconds,
        tally=result.tally.words(),
        error=_sanitized(result.error) if result.error else None,
        killed=killed,
    )
    return _sent(session, notice)


def unlocked_sent(session: Session) -> str:
    """Send that somebody freed the lock. Returns a line that says why it was not sent."""
    return _sent(session, _notice(session, "done", 0))


def _notice(session: Session, outcome: str, code: int) -> Notice:
    environment, cause = session.environment, session.where.cause
    now = datetime.now(UTC).isoformat(timespec="seconds")
    required = environment.audit.reason_required
    return Notice(environment.name, cause, outcome, code, person(), socket.gethostname(), now, required)


def _sanitized(error: SohistioError) -> dict[str, Any]:
    """The error's document, with nothing in it that a reader of the message would obey."""
    document = error.document()
    details = [one_line(line) for line in error.details[:_MOST_DETAILS]]
    return document | {"what": one_line(error.what), "details": details, "todo": one_line(error.todo)}


def _sent(session: Session, notice: Notice) -> str:
    settings = session.environment.notify
    if settings is None:
        return ""
    from sohistio.adapters.webhook.client import post
    from sohistio.adapters.webhook.teams import card_message

    name = settings.webhook
    url = value_in(variables_for(notice.environment, os.environ), name)
    if not url:
        why = f"the variable {name} is not set"
    else:
        document = card_message(notice) if settings.format == "teams" else notice.document()
        try:
            with ending_at_once("interrupted"):
                why = post(url, document)
        except InterruptedRunError as interrupted:  # how the run ended stays what it is
            why = interrupted.what
    return f"Warning: the webhook of {name} got no message: {why}" if why else ""
