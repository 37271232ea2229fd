"""Whether a plan may be carried out: by the flags, or by the answer of whoever is asked (docs/modes-and-safety.md)."""

from __future__ import annotations

from dataclasses import dataclass

from sohistio.errors import RefusedError
from sohistio.planning.planned import Planned
from sohistio.run.reporter import Reporter


@dataclass(frozen=True, slots=True)
class Approval:
    """What the command line approves: `--yes`, and `--confirm NAME` for a protected environment.

    `given` where the plan was shown and approved already, as part of a sequence.
    """

    yes: bool = False
    confirm: str | None = None
    given: bool = False


def refuse_unapproved(planned: Planned, approval: Approval, *, can_ask: bool) -> None:
    """Stop at once where the flags do not approve the plan and nobody can be asked. Raises RefusedError."""
    environment = planned.session.environment
    if approval.given:
        return
    if approval.confirm is not None and approval.confirm != environment.name:
        raise RefusedError(
            f"--confirm names {approval.confirm!r}, the environment is {environment.name!r}",
            todo="Check which environment you mean.",
        )
    danger = _danger(planned)
    if approval.confirm is None and _needs_name(planned) and not can_ask:
        raise RefusedError(
            f"this plan {danger}, and the environment's name was not confirmed",
            todo=f"Read the plan, then give --yes --confirm {environment.name}.",
        )
    if danger and not approval.yes and not can_ask:
        raise RefusedError(f"this plan {danger}, and nobody approved it", todo="Read the plan, then give --yes.")


def approve(planned: Planned, approval: Approval, reporter: Reporter) -> None:
    """Ask, or take the flags for an answer. Raises RefusedError."""
    if approval.given:
        return
    can_ask = reporter.can_ask()
    refuse_unapproved(planned, approval, can_ask=can_ask)
    environment, danger = planned.session.environment, _danger(planned)
    if _needs_name(planned) and approval.confirm is None:
        if reporter.ask(f"This plan {danger}. Type the environment's name to go on: ") != environment.name:
            raise RefusedError("not approved: the name typed is another", todo="Nothing was changed.")
    elif not approval.yes and can_ask and reporter.ask("Go on? [y/N] ").lower() not in ("y", "yes"):
        raise RefusedError("not approved", todo="Nothing was changed.")


def _needs_name(planned: Planned) -> bool:
    return planned.plan.purges or (bool(_danger(planned)) and planned.session.environment.protected)


def _danger(planned: Planned) -> str:
    """What makes the plan need approval. On a sandbox nobody's traffic goes through the gateways of a standby."""
    silenced = "" if planned.session.sandbox is not None else planned.plan.switches_off
    return " and ".join(part for part in (planned.plan.danger, silenced) if part)
