"""Plugs in the certificate authority that the environment declares, before the first control plane."""

from __future__ import annotations

from sohistio.adapters.kubernetes.authority import declared_authority, write_authority
from sohistio.errors import FailedError
from sohistio.plan.authority_steps import WriteAuthority
from sohistio.run.tools import Tools


def plug_in(tools: Tools, step: WriteAuthority) -> None:
    """Create the Secret. Raises FailedError where the run holds another CA than was approved, or none; KubeError."""
    material = tools.authority
    declared = declared_authority(material) if material else None
    own = declared.certificate.fingerprint if declared and declared.certificate else ""
    roots = tuple(sorted(item.fingerprint for item in declared.roots)) if declared else ()
    if material is None or (own, roots) != (step.certificate, step.roots):
        raise FailedError(
            "the CA of policy.authority is not the one of the plan", todo="Plan again: `sohistio install`."
        )
    write_authority(tools.api, material)
