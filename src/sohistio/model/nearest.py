"""What a person may have meant who typed a name that is not known. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(typed: str, known: Iterable[str]) -> str | None:
    """The known name that is most like the one typed; None where none is near.

    Upper and lower case make no difference; two letters that changed places are near in a short name, too. A name of
    quite another length was not meant, unless its beginning was typed: `wait` is no `waypoint`.
    """
    by_lower = {name.lower(): name for name in sorted(known)}
    lower = typed.lower()
    swapped = [name for name in by_lower if sorted(name) == sorted(lower)]
    most = max(3, len(lower) // 2)
    alike = [name for name in by_lower if name.startswith(lower) or abs(len(name) - len(lower)) <= most]
    found = swapped or difflib.get_close_matches(lower, alike, n=1)
    return by_lower[found[0]] if found else None


def did_you_mean(typed: str, known: Iterable[str], *otherwise: str) -> str:
    """`Did you mean prod?`, if a known name is near, and then what is to be said in any case."""
    near = nearest(typed, known)
    return " ".join((*([f"Did you mean {near}?"] if near else []), *otherwise))
