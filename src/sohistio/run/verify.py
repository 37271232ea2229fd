"""Gathers what verification looks at, and runs the checks."""

from __future__ import annotations

import time
from collections.abc import Collection

from sohistio.adapters.kubernetes.access import not_analyzable
from sohistio.adapters.kubernetes.custom_resources import custom_resources, digests
from sohistio.adapters.kubernetes.ending import ending_in, lasting
from sohistio.adapters.kubernetes.footprint import footprint_of
from sohistio.adapters.kubernetes.observe import observe
from sohistio.checks.mesh import Evidence, verify
from sohistio.checks.removal import Remains, verify_remains
from sohistio.checks.result import CheckResult
from sohistio.errors import FailedError
from sohistio.istioctl import ANALYZE_SECONDS, Istioctl
from sohistio.model.state import Finding, ObjectRef
from sohistio.plan.steps import VerifyGone
from sohistio.run.tools import Tools
from sohistio.run.wait import Waiting

# istioctl's last lines that a check repeats: its error comes last.
_WORDS = 2
_LOOK_AGAIN = "What is done stays done: once the cluster can be read again, `sohistio verify` looks."


def verify_mesh(
    tools: Tools, version: str, waiting: Waiting | None = None, approved: Collection[ObjectRef] | None = None
) -> tuple[CheckResult, ...]:
    """Every check against the mesh of `version`; within a run, its `waiting` bounds it.

    `approved` is what this run was to restart, None where there was no run.

    istioctl's analysis that fails, or does not end in time, is one check that does not hold.
    Raises FailedError where the cluster cannot be read.
    """
    mesh = tools.meshes[version]
    state = observe(tools.api)
    if state.unreadable:
        raise FailedError("the cluster could not be read for verification", details=state.unreadable, todo=_LOOK_AGAIN)
    before = tools.before
    found = custom_resources(tools.api) if before.in_a_run else []
    unlisted = not_analyzable(tools.api)
    findings: tuple[Finding, ...] = ()
    not_analyzed = ""
    if not unlisted:
        istioctl = tools.istioctl_for(mesh.version)
        try:
            findings = tuple(_analyzed(tools, istioctl, waiting))
        except FailedError as error:  # of one check among many: what the others say is no less true
            words = "; ".join(error.details[-_WORDS:])
            not_analyzed = f"{error.what}: {words}" if words else error.what
    return verify(
        Evidence(
            state,
            mesh,
            findings,
            before.ca_root,
            before.custom_resources,
            digests(lasting(found)),
            ending_in(found),
            unlisted,
            before.findings,
            approved=approved,
            not_analyzed=not_analyzed,
        )
    )


def verify_gone(tools: Tools, step: VerifyGone, approved: Collection[ObjectRef]) -> tuple[CheckResult, ...]:
    """Every check after an uninstall; `approved` is what it was to restart.

    Raises FailedError where the cluster cannot be read.
    """
    state = observe(tools.api)
    if state.unreadable:
        raise FailedError("the cluster could not be read for verification", details=state.unreadable, todo=_LOOK_AGAIN)
    found = custom_resources(tools.api)
    # An EnvoyFilter of istioctl's own (older versions) goes with its mesh: it was nobody's custom resource.
    before = {ref: digest for ref, digest in tools.before.custom_resources.items() if ref not in step.taken}
    after, ending = digests(lasting(found)), (*state.ending, *ending_in(found))
    return verify_remains(
        Remains(step, state, footprint_of(tools.api), tools.before.ca_root, before, after, ending, approved)
    )


def _analyzed(tools: Tools, istioctl: Istioctl, waiting: Waiting | None) -> list[Finding]:
    """istioctl's findings; asked for once more where it failed in an outage of the API server."""
    if waiting is None:
        return istioctl.analyze(tools.target)
    begun = time.monotonic()
    with waiting.at_most(ANALYZE_SECONDS, "istioctl analyze has not ended"):
        try:
            return istioctl.analyze(tools.target, timeout=min(ANALYZE_SECONDS, waiting.seconds_left()))
        except FailedError:
            waiting.pause(0)
            waiting.api.request("GET", "/version")  # returns once the server is back
            if not waiting.outage.was_since(begun):
                raise
            return istioctl.analyze(tools.target, timeout=min(ANALYZE_SECONDS, waiting.seconds_left()))
