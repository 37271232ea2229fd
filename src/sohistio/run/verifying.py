"""Gathers what verification looks at, and runs the checks."""

from __future__ import annotations

from sohistio.checks import CheckResult, Evidence, verify
from sohistio.cluster.custom_resources import custom_resources, digests
from sohistio.cluster.observe import observe
from sohistio.errors import FailedError
from sohistio.run.tools import Tools


def verify_mesh(tools: Tools, version: str) -> tuple[CheckResult, ...]:
    """Every check against the mesh of `version`. Raises FailedError where the cluster cannot be read."""
    mesh = tools.meshes[version]
    state = observe(tools.api)
    if state.unreadable:
        raise FailedError("the cluster could not be read for verification", details=state.unreadable)
    findings = tools.istioctl_for(mesh.version).analyze(tools.target)
    before = tools.before
    after = digests(custom_resources(tools.api)) if before.custom_resources else {}
    return verify(Evidence(state, mesh, tuple(findings), before.ca_root, before.custom_resources, after))
