"""What a reinstall that replaces does before the new control plane comes: keep the gateways, take the old one away."""

from __future__ import annotations

from sohistio.plan import Phase
from sohistio.steps import ReleaseGateways, UninstallIstio
from sohistio.versions import Version

# The labels by which `istioctl uninstall` finds what it deletes.
OWNERSHIP_LABELS = ("operator.istio.io/component", "istio.io/rev")

TRAFFIC_NOTICE = (
    "while the control plane is replaced, running gateways and sidecars go on with the configuration they have; "
    "new pods get no sidecar and configuration changes wait"
)


def removal(installed: Version) -> Phase:
    """Uninstall `installed` without purging: CRDs, custom resources, the CA, the namespace and the gateways stay."""
    return Phase(
        "old-control-plane",
        (
            ReleaseGateways(
                "old-control-plane/keep-gateways",
                "take istioctl's labels off the gateways, so that they go on serving and keep their addresses",
                OWNERSHIP_LABELS,
            ),
            UninstallIstio(
                "old-control-plane/uninstall",
                f"uninstall Istio {installed} (CRDs, custom resources, CA and namespace stay)",
                str(installed),
            ),
        ),
    )
