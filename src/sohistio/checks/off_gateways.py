"""What istioctl's analysis finds about gateways that are off on purpose: a standby's, or a drained side's. Pure."""

from __future__ import annotations

import re

from sohistio.model.desired import DesiredMesh
from sohistio.model.finding import Finding
from sohistio.model.state import ClusterState

# https://istio.io/latest/docs/reference/config/analysis/ist0101/
_REFERENCE_NOT_FOUND = "IST0101"


def is_of_a_gateway_that_is_off(finding: Finding, desired: DesiredMesh, state: ClusterState) -> bool:
    """Whether a Gateway's selector matches no pod only because its gateway is off: no fault of that Gateway."""
    if finding.code != _REFERENCE_NOT_FOUND or not finding.origin.startswith("Gateway "):
        return False
    off = {item.ref for item in desired.gateways if item.is_off}
    found = re.search(r'"([^"]+)"', finding.message)
    wanted = dict(part.partition("=")[::2] for part in found[1].split(",")) if found else {}
    labels = [item.pod_labels for item in state.mesh_deployments if item.ref in off]
    return bool(wanted) and any(wanted.items() <= dict(known).items() for known in labels)
