"""Runs as the record has them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sohistio.model.mode import Mode
from sohistio.model.record import RunEntry


def run(mode: str = "upgrade", outcome: str = "done", number: int = 0, **changes: Any) -> RunEntry:
    base = RunEntry(
        id=f"{number:012}",
        mode=Mode(mode),
        environment="qa",
        environment_digest="e",
        plan_digest="p",
        from_version="1.30.5",
        to_version="1.31.1",
        who="ada",
        host="bastion",
        started="2026-11-23T05:00:00+00:00",
        outcome=outcome,
    )
    return replace(base, **changes)
