"""An error as people read it: what happened, details, what to do. No third-party import: it must always print."""

from __future__ import annotations

import sys

from sohistio.errors import SohistioError


def error_lines(error: SohistioError) -> list[str]:
    """The four parts, the exit code last."""
    return [
        f"Error: {error.what}.",
        *(f"  {line}" for detail in error.details for line in detail.splitlines()),
        *([f"What to do: {error.todo}"] if error.todo else []),
        f"(exit code {int(error.exit_code)})",
    ]


def print_error(error: SohistioError) -> None:
    """Write the error to stderr."""
    print("\n".join(error_lines(error)), file=sys.stderr)
