"""A notice as the message that Teams' workflow webhooks take: an Adaptive Card.

Its texts are TextRuns of RichTextBlocks, in which no Markdown is read: nothing that somebody else wrote becomes a link.
"""

from __future__ import annotations

from typing import Any

from sohistio.model.notice import Notice

_COLOURS = {"done": "Good", "refused": "Warning", "interrupted": "Warning"}
_LONGEST = 1000
"""Characters of one text: Teams takes 28 KB of a message."""


def card_message(notice: Notice) -> dict[str, Any]:
    """The message with its one card."""
    facts = [_fact(name, value) for name, value in _facts(notice) if value]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": {"width": "Full"},
        "body": [_title(notice), *facts],
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _title(notice: Notice) -> dict[str, Any]:
    colour = _COLOURS.get(notice.outcome, "Attention")
    run = _run(notice.title) | {"size": "Large", "weight": "Bolder", "color": colour}
    return {"type": "RichTextBlock", "inlines": [run]}


def _facts(notice: Notice) -> list[tuple[str, str]]:
    run, error = notice.run, notice.error or {}
    nothing = "none was given, though this environment requires one" if notice.reason_required else ""
    before, after = (run.from_version or "none", run.to_version or "none") if run else ("", "")
    versions = before if before == after else f"{before} → {after}"
    return [
        ("Reason", notice.cause.reason or nothing),
        ("Who", f"{notice.who}@{notice.host}"),
        ("When", notice.at),
        ("Command", f"sohistio {notice.cause.command}" if notice.cause.command else ""),
        ("Versions", versions),
        ("Plan", notice.tally),
        ("Run", run.id if run else ""),
        *(("Before it", run.how_it_ended()) for run in notice.killed),
        ("Error", str(error.get("what", ""))),
        ("What to do", str(error.get("todo", ""))),
    ]


def _fact(name: str, value: str) -> dict[str, Any]:
    return {
        "type": "RichTextBlock",
        "spacing": "Small",
        "inlines": [_run(f"{name}: ") | {"weight": "Bolder"}, _run(value)],
    }


def _run(text: str) -> dict[str, Any]:
    return {"type": "TextRun", "text": text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"}
