"""Checks by istioctl itself: its precheck, and its analysis of what is configured now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sohistio.checks.preflight.check import Good, NotAsked, Verdict
from sohistio.checks.preflight.context import Context
from sohistio.model.fault import Fault, Severity
from sohistio.model.finding import Finding
from sohistio.model.gateway_api import TOO_OLD

# Of precheck: "missing permission to create …". It asks for every object of a kind, where a role may give each by its
# name; the check `permissions` asks for just what the plan uses.
_ASKED_BETTER = frozenset({"IST0141"})


def precheck(context: Context) -> Iterator[Verdict]:
    """`istioctl x precheck` finds nothing wrong."""
    if context.unlisted():
        yield from _not_run(context)
        return
    left_out = _ASKED_BETTER | TOO_OLD  # the latter are of a check that says whose these CRDs are
    yield from judged([finding for finding in context.prechecked() if finding.code not in left_out], Severity.ERROR)


def analyze(context: Context) -> Iterator[Verdict]:
    """`istioctl analyze` finds nothing wrong. What it finds before a run is the applications' own, so it stops none."""
    if context.unlisted():
        yield from _not_run(context)
        return
    if context.is_unserved():
        yield NotAsked("not run: istioctl would wait for ever for a version that is not served, see gateway-api-crds")
        return
    found = [finding for finding in context.findings() if finding.code not in TOO_OLD]
    yield from judged(found, Severity.WARNING)


def judged(findings: Sequence[Finding], worst: Severity) -> Iterator[Verdict]:
    """One fault for each error and warning; infos are counted."""
    worth = [finding for finding in findings if finding.level in ("Error", "Warning")]
    for finding in worth:
        severity = worst if finding.level == "Error" else Severity.WARNING
        yield Fault(finding.line, finding.documentation_url.partition("?")[0], severity)
    if not worth:
        yield Good(f"errors: none, warnings: none, infos: {len(findings)}")


def _not_run(context: Context) -> Iterator[Verdict]:
    message = f"not run: you lack permission to list and watch {', '.join(context.unlisted())} in all namespaces"
    yield Fault(message, "Somebody with the role sohistio-analyzer as well can run it.", Severity.WARNING)
