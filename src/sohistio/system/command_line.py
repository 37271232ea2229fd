"""A command line: the part that is sohistio's own. `--help` loads it, so it stays small."""

from __future__ import annotations

from collections.abc import Sequence


def before_dashes(arguments: Sequence[str]) -> Sequence[str]:
    """What comes before `--`: what follows it is another tool's."""
    return arguments[: arguments.index("--")] if "--" in arguments else arguments
