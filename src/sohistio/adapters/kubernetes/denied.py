"""Objects of a manifest that the API server would not take, and what is to be done about each. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sohistio.errors import RefusedError
from sohistio.model.state import ObjectRef
from sohistio.model.words import counted, first_lines, first_names

_MOST_LISTED = 6
# As validation says it (apimachinery, NewInvalid); admission may answer 422 as well.
_INVALID = " is invalid: "
_OF_ADMISSION = ("admission webhook", "denied request")
_UNDO = "undo that edit (kubectl edit); if there was none, correct the environment's istiooperator.yaml."


@dataclass(frozen=True, slots=True)
class Denied:
    """An object that an apply could not write, in the server's words; `of_edit` where it is there, and its own fields
    would not go with those of the manifest.
    """

    ref: ObjectRef
    said: str
    of_edit: bool


def is_of_fields(status: int, said: str) -> bool:
    """Whether an answer is about the object's own fields, and not an admission's."""
    return status == 422 and _INVALID in said and not any(word in said for word in _OF_ADMISSION)


def denial(denied: Sequence[Denied]) -> RefusedError:
    """The error of an install that would run into it half way."""
    edited = sorted(item.ref for item in denied if item.of_edit)
    todo = []
    if len(edited) < len(denied):
        others = "Each other line" if edited else "Each line"
        todo.append(f"{others} is the server's (a quota, an admission policy, missing rights): fix them first.")
    if edited:
        plain = "is not valid together with what somebody has set there by hand"
        todo.insert(0, f"What the manifest sets in {first_names(edited, _MOST_LISTED)} {plain}: {_UNDO}")
    return RefusedError(
        f"the API server would deny {counted(len(denied), 'object')} of the manifest",
        details=first_lines(sorted(f"{item.ref}: {item.said}" for item in denied), _MOST_LISTED),
        todo=" ".join(todo),
    )
