"""A plan as a file: written to be approved, and held against the plan of the day."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sohistio.errors import RefusedError, UsageError
from sohistio.output.documents import json_text
from sohistio.plan.diff import differences
from sohistio.plan.documents import digest_of
from sohistio.plan.plan import Plan


def write_plan(path: Path, plan: Plan) -> None:
    """Write the plan with its digest. Raises UsageError."""
    try:
        document = plan.document() | {"digest": plan.digest()}
        path.write_text(json_text(document | {"fileDigest": _whole(document)}) + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"the plan could not be written to {path}",
            details=(str(error),),
            todo="Give --out a file in a folder that can be written and has room. Nothing was touched.",
        ) from error


def check_approved(path: Path, plan: Plan) -> None:
    """Refuse where the file was edited, or the plan of now is not the one in it. Raises UsageError, RefusedError."""
    try:
        approved = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_once)
        edited = approved["digest"] != digest_of(approved) or approved["fileDigest"] != _whole(approved)
        stale = approved["digest"] != plan.digest()
        different = differences(approved, plan.document())
    except OSError as error:
        raise UsageError(f"{path} cannot be read", details=(str(error),), todo="Give --plan a file.") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        why = str(error) if isinstance(error, ValueError) else "it is JSON, but no plan of this version of sohistio"
        raise UsageError(
            f"{path} is not a plan", details=(why,), todo="Write one with `sohistio plan --out FILE`."
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


def _whole(document: Mapping[str, Any]) -> str:
    """SHA-256 of all that a file says, what people read included: nobody approves what was written in later."""
    return digest_of(document, without=("fileDigest",))


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object whose keys are there once: of two, a person may read the other one."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is in it twice")
    return found
