"""What the command line asks of stdout. `--help` loads it, so it stays small."""

from __future__ import annotations

# Set once the command line asks for JSON: from then on an error is a document, too.
_asked: list[bool] = []


def answer_in_json() -> None:
    """The command line asks for JSON on stdout."""
    _asked.append(True)


def is_json_asked() -> bool:
    """Whether stdout is for a document."""
    return bool(_asked)
