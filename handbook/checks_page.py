"""The list of all checks as Markdown, made of the registry that `sohistio check` runs."""

from __future__ import annotations

from collections.abc import Sequence

from sohistio.checks.preflight.check import Check, Stage
from sohistio.checks.preflight.registry import CHECKS
from sohistio.checks.readiness import READINESS

_INTRODUCTION = """\
# List of checks

Made of the program by `make docs-reference`; `sohistio check --list` prints the same. A check's name leads to what it
means, why it matters and how to fix it, in [preflight](../preflight.md).

*error* stops what the last column names (exit 3), *warning* is only shown. `--skip-check NAME` leaves a check out,
unless it cannot be skipped. What a run finds out by itself, while it plans or takes the lock, stops only `sohistio
check` here.

## Before a run
"""
_READINESS = """
## Before a failover

Of a standby that says how traffic gets to it: [failover](../failover.md). A failover and its rehearsal ask them too.
"""
_STOPS = {
    Stage.ALWAYS: "every run that writes",
    Stage.CHANGE: "installs and upgrades",
    Stage.CHECK: "`sohistio check`",
}


def checks_page() -> str:
    """The page."""
    own = [check for check in CHECKS if check not in READINESS]
    parts = [_INTRODUCTION, *_table(own), _READINESS, *_table(READINESS)]
    return "\n".join(parts) + "\n"


def _table(checks: Sequence[Check]) -> list[str]:
    return ["| check | severity | holds if | stops |", "|---|---|---|---|", *(_row(check) for check in checks)]


def _row(check: Check) -> str:
    never = "; cannot be skipped" if check.mandatory else ""
    about = check.about.replace("|", "\\|")
    link = f"[{check.name}](../{check.docs.removeprefix('docs/')})"
    return f"| {link} | {check.severity}{never} | {about} | {_STOPS[check.stage]} |"
