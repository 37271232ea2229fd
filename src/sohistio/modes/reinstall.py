"""What a reinstall that replaces does before the new control plane comes: keep the gateways, take the old one away."""

from __future__ import annotations

from sohistio.model.desired import DesiredMesh
from sohistio.model.state import ClusterState, ObjectRef
from sohistio.model.versions import Version
from sohistio.modes.install import keep_replicas
from sohistio.plan.changes import Action, Changes
from sohistio.plan.gateway_steps import RelabelGateways, ReleaseGateways
from sohistio.plan.plan import Phase
from sohistio.plan.steps import UninstallIstio

TRAFFIC_NOTICE = (
    "while the control plane is replaced, running gateways and sidecars go on with the configuration they have, "
    "and configuration changes wait"
)


def removal(state: ClusterState, desired: DesiredMesh, installed: Version) -> Phase:
    """Uninstall `installed` without purging: CRDs, custom resources, the CA, the namespace and the gateways stay.

    `desired` is the mesh that comes in its place. Replicas that it would drop are kept before a label is taken off: so
    they are safe wherever the run is killed.
    """
    gateways = {item.ref for item in desired.gateways}  # istiod itself goes, and comes anew
    kept = [(ref, replicas) for ref, replicas in desired.dropped_replicas(state) if ref in gateways]
    return Phase(
        "old-control-plane",
        (
            *keep_replicas("old-control-plane", kept),
            ReleaseGateways(
                "old-control-plane/keep-gateways",
                "take istioctl's labels off the gateways, so that they go on serving and keep their addresses",
                _gateways(state),
                others_too=True,
            ),
            UninstallIstio(
                "old-control-plane/uninstall",
                f"uninstall Istio {installed} (CRDs, custom resources, CA and namespace stay)",
                installed,
            ),
        ),
    )


def relabelling(state: ClusterState, *, released: bool) -> tuple[Phase, ...]:
    """What follows the install where this run releases gateways, or one before it did and did not get here."""
    if not released and not state.released:
        return ()
    summary = "put istioctl's labels back on the gateways' objects"
    return (Phase("gateway-labels", (RelabelGateways("gateway-labels/put-back", summary, _gateways(state)),)),)


def withheld(state: ClusterState, changes: Changes) -> tuple[Phase, ...]:
    """What comes before an install of the version that is there, where gateways go: istioctl would prune them in the
    middle of it, before the ones that take their place are ready.
    """
    going = {change.ref for change in changes.objects if change.action is Action.REMOVED}
    gateways = tuple(ref for ref in _gateways(state) if ref in going)
    if not gateways:
        return ()
    names = ", ".join(ref.short for ref in gateways)
    summary = f"take istioctl's labels off {names}, so that the install leaves them until their turn comes"
    return (Phase("old-gateways", (ReleaseGateways("old-gateways/withhold", summary, gateways),)),)


def _gateways(state: ClusterState) -> tuple[ObjectRef, ...]:
    return tuple(seen.ref for seen in state.mesh_deployments if seen.component == "gateway")
