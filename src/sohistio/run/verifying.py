"""Gathers what verification looks at, and runs the checks."""

from __future__ import annotations

from collections.abc import Collection

from sohistio.checks import CheckResult, Evidence, verify
from sohistio.cluster.access import not_analyzable
from sohistio.cluster.custom_resources import custom_resources, digests
from sohistio.cluster.footprint import footprint_of
from sohistio.cluster.observe import observe
from sohistio.errors import FailedError
from sohistio.gonechecks import Remains, verify_remains
from sohistio.run.tools import Tools
from sohistio.state import ObjectRef
from sohistio.steps import VerifyGone


def verify_mesh(tools: Tools, version: str, approved: Collection[ObjectRef] | None = None) -> tuple[CheckResult, ...]:
    """Every check against the mesh of `version`; `approved` is what this run was to restart.

    Raises FailedError where the cluster cannot be read.
    """
    mesh = tools.meshes[version]
    state = observe(tools.api)
    if state.unreadable:
        raise FailedError("the cluster could not be read for verification", details=state.unreadable)
    unlisted = not_analyzable(tools.api)
    findings = () if unlisted else tuple(tools.istioctl_for(mesh.version).analyze(tools.target))
    before = tools.before
    after = digests(custom_resources(tools.api)) if before.custom_resources else {}
    return verify(
        Evidence(
            state,
            mesh,
            findings,
            before.ca_root,
            before.custom_resources,
            after,
            unlisted,
            before.findings,
            approved=approved,
        )
    )


def verify_gone(tools: Tools, step: VerifyGone, approved: Collection[ObjectRef]) -> tuple[CheckResult, ...]:
    """Every check after an uninstall; `approved` is what it was to restart.

    Raises FailedError where the cluster cannot be read.
    """
    state = observe(tools.api)
    if state.unreadable:
        raise FailedError("the cluster could not be read for verification", details=state.unreadable)
    after = digests(custom_resources(tools.api))
    # An EnvoyFilter of istioctl's own (older versions) goes with its mesh: it was nobody's custom resource.
    before = {ref: digest for ref, digest in tools.before.custom_resources.items() if ref not in step.taken}
    seen = Remains(step, state, footprint_of(tools.api), tools.before.ca_root, before, after, approved)
    return verify_remains(seen)
