"""Why a plan has nothing to do, in a few words. Pure."""

from __future__ import annotations

from sohistio.model.held_back import waiting_words
from sohistio.model.mode import Mode
from sohistio.plan.plan import Plan


def idle_words(plan: Plan, *, any_more: bool = False) -> str:
    """Goes on after the environment's name: `up to date`, `3 workloads are not restarted now`.

    `any_more` is for a plan that had something to do when it was approved.
    """
    if plan.held_back:
        waiting = waiting_words(plan.held_back)
        return f"what was planned may not be done any more: {waiting}" if any_more else waiting
    idle = "nothing to uninstall" if plan.mode is Mode.UNINSTALL else "up to date"
    return f"{idle} by now" if any_more else idle
