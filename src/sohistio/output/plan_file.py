"""A plan as a file: written to be approved, and held against the plan of the day."""

from __future__ import annotations

import json
from pathlib import Path

from sohistio.errors import RefusedError, UsageError
from sohistio.output.documents import json_text
from sohistio.plan.diff import differences
from sohistio.plan.documents import digest_of
from sohistio.plan.plan import Plan


def write_plan(path: Path, plan: Plan) -> None:
    """Write the plan with its digest. Raises UsageError."""
    try:
        path.write_text(json_text(plan.document() | {"digest": plan.digest()}) + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"the plan could not be written to {path}",
            details=(str(error),),
            todo="Give --out a file in a folder that can be written and has room. Nothing was touched.",
        ) from error


def check_approved(path: Path, plan: Plan) -> None:
    """Refuse where the file was edited, or the plan of now is not the one in it. Raises UsageError, RefusedError."""
    try:
        approved = json.loads(path.read_text(encoding="utf-8"))
        edited = approved["digest"] != digest_of(approved)
        stale = approved["digest"] != plan.digest()
        different = differences(approved, plan.document())
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            f"{path} is not a plan", details=(str(error),), todo="Write one with `sohistio plan --out FILE`."
        ) from error
    if edited:
        raise UsageError(
            f"{path} was edited: its digest is of another plan",
            todo="Write it anew with `sohistio plan --out FILE`, and have that one approved.",
        )
    if stale:
        raise RefusedError(
            f"{path} is stale: the plan is another one now",
            details=different,
            todo="Look at the new plan with `sohistio plan --out FILE` and have that one approved.",
        )
