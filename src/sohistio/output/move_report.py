"""The report of a failover: the recovery time split, as JSON and as Markdown for the incident's page."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sohistio.errors import ExitCode, UsageError
from sohistio.model.document import SCHEMA_VERSION
from sohistio.model.health import Health
from sohistio.run.failover import Moment
from sohistio.run.move import MoveResult
from sohistio.system.sanitize import one_line

_WORDS = {
    Moment.SCALED: "gateways ready",
    Moment.PROVEN: "proven at its address",
    Moment.SWITCHED: "DNS record switched",
    Moment.ANSWERED: "first good answer by name",
}


def check_place(path: Path) -> None:
    """Whether the page can be written there, before any traffic moves. Raises UsageError."""
    why = ""
    if path.is_dir():
        why = "it is a folder"
    elif not path.parent.is_dir():
        why = f"there is no folder {path.parent}"
    elif not os.access(path if path.exists() else path.parent, os.W_OK):
        why = "no permission to write it"
    if why:
        raise UsageError(
            f"the report cannot be written to {path}: {why}",
            todo="Give --report a file in a folder that can be written. Nothing was touched.",
        )


def write_page(path: Path, result: MoveResult) -> str:
    """Write the page. Returns why it could not be written, empty where it was: the traffic has moved by then."""
    try:
        path.write_text(markdown(result), encoding="utf-8")
    except OSError as error:
        return f"the report could not be written to {path}: {error.strerror or error}"
    return ""


def document(result: MoveResult) -> dict[str, Any]:
    """As versioned JSON. Each figure is in seconds since the command began, None where it did not come to it."""
    decided = round(result.decided - result.began, 3) if result.decided else None
    watched = _watched(result)
    return {
        "schemaVersion": SCHEMA_VERSION,
        "kind": "FailoverReport",
        "mode": result.sequence.mode.value,
        "from": result.sequence.source,
        "to": result.sequence.to,
        "outcome": "done" if not result.exit_code else "failed",
        "exitCode": int(result.exit_code),
        "began": _iso(result.began),
        "seconds": {"decided": decided, **{moment.value: _rounded(result, moment) for moment in Moment}},
        "watch": watched.document() if watched else None,
        "runs": [item.document() for item in result.results],
        "undone": result.undone.document() if result.undone else None,
        "problem": result.problem.document() if result.problem else None,
    }


def markdown(result: MoveResult) -> str:
    """A page: what was moved, when, how long each part took, and what each step was."""
    sequence = result.sequence
    outcome = "done" if not result.exit_code else f"failed (exit code {int(result.exit_code)})"
    lines = [
        f"# {sequence.mode.value.capitalize()}: {sequence.source} → {sequence.to}",
        "",
        f"Began {_iso(result.began)}; {outcome}.{_reason(result)}",
        "",
        "| after | what |",
        "|---|---|",
    ]
    if result.decided:
        lines.append(f"| {result.decided - result.began:.1f} s | decided |")
    lines += [
        f"| {seconds:.1f} s | {words} |"
        for moment, words in _WORDS.items()
        if (seconds := result.seconds_until(moment)) is not None
    ]
    if watched := _watched(result):
        lines += ["", f"## {watched.environment}, watched for {watched.seconds:.0f} s", ""]
        lines += [f"- {line}" for line in (*watched.lines(), *(f"failed: {found}" for found in watched.problems))]
        lines += [f"- {count} ×: {fault}" for fault, count in watched.answers.faults.most_common()]
    for run in result.results:
        lines += ["", f"## {run.plan.environment}", "", "| step | state | seconds |", "|---|---|---|"]
        lines += [f"| {item.step.summary} | {item.state} | {item.seconds:.1f} |" for item in run.steps]
        if run.error is not None:
            lines += ["", f"Failed: {run.error.what}. {run.error.todo}"]
    return "\n".join(lines) + "\n"


def summary(result: MoveResult) -> tuple[str, ...]:
    """For the screen: a line for each part of the recovery time, and what a watch found."""
    found = [(result.decided - result.began, "decided")] if result.decided else []
    found += [
        (seconds, words) for moment, words in _WORDS.items() if (seconds := result.seconds_until(moment)) is not None
    ]
    watched = _watched(result)
    return (
        *(f"{seconds:7.1f} s  {words}" for seconds, words in found),
        *(f"watched: {line}" for line in (watched.lines() if watched else ())),
    )


def conclusion(result: MoveResult) -> str:
    """The last line where the move did not end well, or left something to do: what the world is now. Else empty."""
    sequence, run = result.sequence, result.results[0] if result.results else None
    if run is not None and run.error is not None:
        what = f"the {sequence.mode.value} to {sequence.to} did not end well: {run.error.what}."
        if not result.undo_tried:
            return what
        if result.undone is not None and result.undone.exit_code is ExitCode.OK:
            return f"{what} No traffic was moved, and {sequence.to} is as it was found"
        back = result.traffic.back if result.traffic else ""
        return f"{what} No traffic was moved, but {sequence.to} could not be put back as it was found: {back}"
    if sequence.then is None and sequence.later:
        return sequence.later
    return ""


def _watched(result: MoveResult) -> Health | None:
    found = result.traffic.watched if result.traffic else []
    return found[-1] if found else None


def _reason(result: MoveResult) -> str:
    """The one that was given, as a sentence of the page; empty where there was none."""
    reasons = [run.entry.reason for run in result.results if run.entry and run.entry.reason]
    return f" Reason: {one_line(reasons[0])}" if reasons else ""


def _rounded(result: MoveResult, moment: Moment) -> float | None:
    seconds = result.seconds_until(moment)
    return None if seconds is None else round(seconds, 3)


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
