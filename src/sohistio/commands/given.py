"""Options with a text or a path: an empty one is a pipeline's variable that is not set, and stands for nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sohistio.errors import UsageError


def text_of(flag: str) -> Callable[[str], str]:
    """A parser for Typer. It raises UsageError where the option's text is empty."""

    def parsed(text: str) -> str:
        if not text.strip():
            raise UsageError(
                f"{flag} is empty",
                todo="Is a variable of the pipeline not set? Leave the flag out, or say what is meant.",
            )
        return text

    return parsed


def path_of(flag: str) -> Callable[[str], Path]:
    """The same for a path: of an empty text Python makes the folder where it runs."""
    text = text_of(flag)
    return lambda given: Path(text(given))
