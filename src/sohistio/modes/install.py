"""The phases that put the mesh there: they serve install, upgrade and reinstall alike."""

from __future__ import annotations

from sohistio.desired import DesiredMesh
from sohistio.plan import AwaitRollouts, HoldStandby, InstallIstio, Phase, VerifyMesh


def control_plane(desired: DesiredMesh, verb: str) -> Phase:
    """istioctl, then the wait: istioctl itself is content before old pods, the HPA and the address are (FACTS)."""
    running = tuple((item.ref, item.minimum) for item in desired.deployments if not item.is_off)
    names = ", ".join(f"{ref.name} ≥ {minimum}" for ref, minimum in running)
    return Phase(
        "control-plane",
        (
            InstallIstio("control-plane/install", f"{verb} Istio {desired.version}", str(desired.version)),
            AwaitRollouts("control-plane/await", f"wait for {names}", running),
        ),
    )


def standby(desired: DesiredMesh) -> tuple[Phase, ...]:
    """The standby rule, for an environment whose manifest switches gateways off."""
    off = tuple(item.ref for item in desired.gateways if item.is_off)
    if not off:
        return ()
    names = ", ".join(ref.name for ref in off)
    return (Phase("standby", (HoldStandby("standby/gateways-off", f"keep {names} at 0 pods", off),)),)


def verification() -> Phase:
    """The last phase of every run."""
    return Phase("verify", (VerifyMesh("verify/mesh", "verify the mesh"),))
