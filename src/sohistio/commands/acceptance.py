"""The options `--accept` and `--because` of failover and failback: rules that may be broken, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from sohistio.commands.options import OptionGroup, change_option

if TYPE_CHECKING:
    from sohistio.planning.failover import Accepted


class Acceptance(OptionGroup):
    """Rules that are accepted by name."""

    accept: Annotated[
        list[str] | None, change_option("--accept", metavar="RULE", help="Accept a rule that fails (repeatable).")
    ] = None
    because: Annotated[
        str | None, change_option("--because", metavar="WHY", help="Why the rule may be broken; default: --reason.")
    ] = None


def accepted_of(acceptance: Acceptance, reason: str) -> Accepted:
    """The rules, and why: what --because says, else the `reason` of the run. It goes into the record.

    Raises UsageError for a rule that cannot be accepted, and without a reason.
    """
    from sohistio.checks.readiness import acceptable
    from sohistio.errors import UsageError
    from sohistio.failover.rules import ACCEPTABLE
    from sohistio.model.nearest import did_you_mean
    from sohistio.planning.cluster_identity import IDENTITY
    from sohistio.planning.failover import Accepted

    rules, known = frozenset(acceptance.accept or ()), ACCEPTABLE | acceptable() | {IDENTITY}
    if unknown := sorted(rules - known):
        raise UsageError(
            f"--accept {unknown[0]!r} is no rule that can be accepted",
            todo=did_you_mean(unknown[0], known, f"Can be accepted: {', '.join(sorted(known))}."),
        )
    if acceptance.because and not rules:
        raise UsageError("--because says why a rule is accepted, and none is", todo="Give --accept RULE with it.")
    because = (acceptance.because or "").strip() or reason
    if rules and not because:
        raise UsageError(
            "--accept needs --because or --reason", todo='Say why, for whoever reads the record: --because "…".'
        )
    return Accepted(rules, because if rules else "")
