"""Checks of what a mesh lives by: who signs its certificates and for how long, and the certificates of its gateways."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from sohistio.checks.certificates import (
    Judged,
    Unread,
    authority_judged,
    declared_judged,
    gateways_judged,
    workloads_judged,
)
from sohistio.checks.preflight.check import Good, NotAsked, Verdict
from sohistio.checks.preflight.context import Context
from sohistio.model.fault import Fault, Severity

_CORRECT = "Correct what policy.authority names: docs/certificates.md."


def certificate_authority(context: Context) -> Iterator[Verdict]:
    """What signs in the mesh, and whether it lasts; what is wrong with the CA that the environment declares."""
    now, within = time.time(), context.fail_within
    declared = list(_declared(context, now, within))
    yield from declared
    live = context.certificates().authority
    if live.authority.all or live.unread:
        yield from _verdicts(authority_judged(live, now, within), within)
    elif not declared:
        yield NotAsked("nothing signs yet: the first istiod makes a self-signed root of its own")


def certificate_expiry(context: Context) -> Iterator[Verdict]:
    """The certificates that Gateways of both APIs name last, and workloads get theirs."""
    found = context.certificates()
    if not context.state.istiods and not found.gateways:
        yield NotAsked("there is no mesh yet, and no Gateway names a certificate")
        return
    yield from _verdicts(gateways_judged(found.gateways, time.time(), context.fail_within), context.fail_within)
    if context.state.istiods:
        yield from _verdicts([workloads_judged(found.workloads)], context.fail_within)


def _declared(context: Context, now: float, within: float | None) -> Iterator[Verdict]:
    facts = context.plan.authority if context.plan else None
    if facts is None:
        return
    if (error := facts.unsettled) is not None:
        yield Fault(error.what, error.todo, details=error.details)
    yield from (Fault(f"policy.authority: {fault}", _CORRECT) for fault in facts.faults)
    if facts.declared is not None and facts.plan.phases:
        yield from (Good(f"the install does it: {step.summary}") for step in facts.plan.phases[0].steps)
        yield from declared_judged(facts.declared.all, now, within)


def _verdicts(found: Iterable[Judged], within: float | None) -> Iterator[Verdict]:
    """Whoever asks to hear of an end in time hears of what was not read, too."""
    for item in found:
        match item:
            case Fault():
                yield item
            case Unread():
                yield Fault(item.message, item.hint, Severity.WARNING if within is None else Severity.ERROR)
            case str():
                yield Good(item)
