"""The message for Teams: what a run, a refusal and a run without its reason look like; nobody's text is Markdown."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runs import run
from sohistio.adapters.webhook.teams import card_message
from sohistio.errors import RefusedError
from sohistio.model.cause import Cause
from sohistio.model.notice import Notice

GOLDEN = Path(__file__).parent / "golden"
TALLY = "5 changed, 0 replaced, 4 restarts, 0 addresses touched"
DONE = Notice(
    environment="qa",
    cause=Cause("install", "CHG0012345 monthly patch"),
    outcome="done",
    exit_code=0,
    who="ada",
    host="agent-7",
    at="2026-11-23T05:01:00+00:00",
    reason_required=True,
    run=run(),
    seconds=61.25,
    tally=TALLY,
)
REFUSED = replace(
    DONE,
    cause=Cause("uninstall"),
    outcome="refused",
    exit_code=3,
    run=None,
    tally="",
    seconds=0.0,
    error=RefusedError("another run is active on this cluster", details=("held by bob",), todo="Wait.").document(),
)
KILLED = replace(DONE, killed=(run("install", "running", last_step="control-plane/install"),))
NOTICES = {"done": DONE, "refused": REFUSED, "after-a-killed-run": KILLED}


@pytest.mark.parametrize("name", NOTICES)
def test_the_card(name: str) -> None:
    _compare(f"{name}.teams.json", card_message(NOTICES[name]))


@pytest.mark.parametrize("name", NOTICES)
def test_sohistios_own_document(name: str) -> None:
    _compare(f"{name}.json", NOTICES[name].document())


def _compare(name: str, document: dict[str, Any]) -> None:
    """A golden file that is missing is written: delete it to make it anew, and read the difference."""
    file = GOLDEN / name
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    if not file.exists():
        file.write_text(text, encoding="utf-8")
        pytest.fail(f"{file} was written: read it")
    assert text == file.read_text(encoding="utf-8")


def test_no_text_of_somebody_else_is_markdown() -> None:
    """TextRuns are the one element of a card that shows its text as it is."""
    hostile = replace(DONE, cause=Cause("install", "[read me](https://evil.example) **now**"))
    body = card_message(hostile)["attachments"][0]["content"]["body"]
    assert {block["type"] for block in body} == {"RichTextBlock"}
    assert {inline["type"] for block in body for inline in block["inlines"]} == {"TextRun"}


def test_the_title_of_a_run_beside_the_mesh_is_its_command() -> None:
    assert DONE.title == "qa: upgrade done"
    assert replace(DONE, run=run("none"), outcome="verificationFailed").title == (
        "qa: install applied, but verification failed"
    )


def test_a_long_text_is_cut() -> None:
    wordy = replace(DONE, cause=Cause("install", "x" * 100_000))
    assert len(json.dumps(card_message(wordy))) < 28_000
