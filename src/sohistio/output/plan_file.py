"""A plan as a file: written to be approved, and held against the plan of the day."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sohistio.errors import RefusedError, UsageError
from sohistio.output.documents import json_text
from sohistio.plan.diff import differences
from sohistio.plan.documents import digest_of
from sohistio.plan.plan import Plan
from sohistio.system.bounded_file import NotOrdinaryError, TooLargeError, bounded_bytes

_MOST_BYTES = 1 << 25
"""Far more than any plan has: one that creates a mesh has 14 KiB."""


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


@dataclass(frozen=True, slots=True)
class ApprovedPlan:
    """A plan as it was approved: its file, and the document in it, as it was written."""

    path: Path
    document: Mapping[str, Any]


def read_approved(path: Path) -> ApprovedPlan:
    """The plan in a file. Raises UsageError where it is no ordinary file, no plan, or was edited."""
    try:
        document = json.loads(bounded_bytes(path, _MOST_BYTES).decode("utf-8"), object_pairs_hook=_once)
        edited = document["digest"] != digest_of(document) or document["fileDigest"] != _whole(document)
    except NotOrdinaryError as error:
        todo = "Give --plan a file of `sohistio plan --out FILE`."
        raise UsageError(f"{path} is no ordinary file", todo=todo) from error
    except TooLargeError as error:
        what = f"{path} is larger than {_MOST_BYTES >> 20} MiB, and no plan is"
        raise UsageError(what, todo="Give --plan the plan's file.") from error
    except OSError as error:
        why = error.strerror or str(error)
        raise UsageError(f"{path} cannot be read", details=(why,), todo="Give --plan a file.") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _no_plan(path, error) from error
    if edited:
        raise UsageError(
            f"{path} was edited: its digest is of another plan",
            todo="Write it anew with `sohistio plan --out FILE`, and have that one approved.",
        )
    return ApprovedPlan(path, document)


def check_approved(approved: ApprovedPlan, plan: Plan) -> None:
    """Refuse where the plan of now is not the approved one. Raises RefusedError, UsageError."""
    try:
        different = differences(approved.document, plan.document())
    except (KeyError, TypeError, AttributeError) as error:
        raise _no_plan(approved.path, error) from error
    if approved.document["digest"] != plan.digest():
        raise RefusedError(
            f"{approved.path} is stale: the plan is another one now",
            details=different,
            todo="Look at the new plan with `sohistio plan --out FILE` and have that one approved.",
        )


def _no_plan(path: Path, error: Exception) -> UsageError:
    why = str(error) if isinstance(error, ValueError) else "it is JSON, but no plan of this version of sohistio"
    return UsageError(f"{path} is not a plan", details=(why,), todo="Write one with `sohistio plan --out FILE`.")


def _whole(document: Mapping[str, Any]) -> str:
    """SHA-256 of all that a file says, what people read included: nobody approves what was written in later."""
    return digest_of(document, without=("fileDigest",))


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object whose keys are there once: of two, a person may read the other one."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is in it twice")
    return found
