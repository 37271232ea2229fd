"""The phases that put the mesh there: they serve install, upgrade, reinstall and rollback alike."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sohistio.model.desired import DesiredMesh
from sohistio.model.footprint import ISTIOD_REF
from sohistio.model.state import ClusterState, ObjectRef
from sohistio.model.versions import Version
from sohistio.plan.backup_steps import TakeBackup
from sohistio.plan.changes import Action, Changes
from sohistio.plan.plan import Phase
from sohistio.plan.steps import (
    AwaitRollouts,
    CompleteRecord,
    HoldStandby,
    InstallIstio,
    KeepReplicas,
    RemoveObjects,
    ScaleUp,
    Step,
    VerifyMesh,
)


def backup(installed: Version | None = None, *, include_ca: bool = False) -> Phase:
    """Before a version changes: what cannot be made again is copied to this machine."""
    what = "custom resources, what is installed and the CA's key (encrypted)"
    summary = f"back up {what if include_ca else 'custom resources and what is installed'}"
    return Phase("backup", (TakeBackup("backup/take", summary, include_ca, installed),))


def completion(desired: DesiredMesh) -> tuple[Phase, ...]:
    """After a run that was interrupted when all was in place: once it is verified, the record says so."""
    version = desired.version
    summary = f"note in the record that {version} is in place"
    return (Phase("record", (CompleteRecord("record/complete", summary, version, desired.operator),)),)


def control_plane(
    state: ClusterState,
    desired: DesiredMesh,
    verb: str,
    prefix: str = "",
    *,
    changes: Changes | None = None,
    replaced: bool = False,
) -> Phase:
    """istioctl, then the wait: istioctl itself is content before old pods, the HPA and the address are.

    `prefix` sets the ids of a hop on the way apart from the target's. `changes` are what it changes, None where that
    is not known yet. Where the old control plane is `replaced`, replicas were kept before it was taken away.
    """
    running = tuple((item.ref, item.minimum) for item in desired.deployments if not item.is_off)
    refs = tuple(ref for ref, _ in running)
    names = ", ".join(f"{ref.short} ≥ {minimum}" for ref, minimum in running)
    name = f"{prefix}control-plane"
    version = desired.version
    turns = _turns(state, desired, changes)
    order = f": istiod, then {', then '.join(ref.short for ref in turns)}" if turns else ""
    summary = f"{verb} Istio {version}{order}"
    opens = replaced or not state.has_ready_istiod
    steps: list[Step] = [
        InstallIstio(f"{name}/install", summary, version, desired.operator, refs, turns, opens),
        AwaitRollouts(f"{name}/await", f"wait for {names}", running),
    ]
    if not replaced:
        steps[:0] = keep_replicas(name, desired.dropped_replicas(state))
    asleep = desired.asleep(state)
    # istioctl waits for an istiod that has pods to wait for, and only then lets the default tag's webhooks refuse pods.
    first = tuple(item for item in asleep if item[0] == ISTIOD_REF and not replaced)
    steps[:0] = _wake(f"{name}/wake-istiod", first)
    steps[-1:-1] = _wake(f"{name}/scale-up", tuple(item for item in asleep if item not in first))
    return Phase(name, tuple(steps))


def _wake(step_id: str, asleep: tuple[tuple[ObjectRef, int], ...]) -> list[Step]:
    names = ", ".join(ref.short for ref, _ in asleep)
    return [ScaleUp(step_id, f"wake {names}, found at 0 replicas", asleep)] if asleep else []


def _turns(state: ClusterState, desired: DesiredMesh, changes: Changes | None) -> tuple[ObjectRef, ...]:
    """Gateways that serve and get new pods: they are held, and replaced one after the other (issue 16).

    Those that clients reach come first: they are judged best.
    """
    reached = {(item.ref.namespace, item.ref.name) for item in desired.services if item.type == "LoadBalancer"}
    serving = {seen.ref for seen in state.mesh_deployments if seen.ready}
    held = {seen.ref for seen in state.mesh_deployments if seen.held}
    if changes is not None:
        serving &= {change.ref for change in changes.objects}
    turns = (item.ref for item in desired.gateways if not item.is_off and item.ref in serving | held)
    return tuple(sorted(turns, key=lambda ref: ((ref.namespace, ref.name) not in reached, ref)))


def keep_replicas(phase: str, kept: Sequence[tuple[ObjectRef, int]]) -> tuple[KeepReplicas, ...]:
    """What comes before an apply that would drop the replicas of these Deployments; nothing where there are none."""
    if not kept:
        return ()
    said = ", ".join(f"{ref.short} at {replicas}" for ref, replicas in kept)
    summary = f"keep {said}: the manifest leaves their replicas to the autoscaler"
    return (KeepReplicas(f"{phase}/keep-replicas", summary, tuple(ref for ref, _ in kept)),)


def standby(state: ClusterState, desired: DesiredMesh, prefix: str = "") -> tuple[Phase, ...]:
    """The standby rule, for an environment whose manifest switches gateways off."""
    off = tuple(item.ref for item in desired.gateways if item.is_off)
    if not off:
        return ()
    names = ", ".join(ref.short for ref in off)
    serving = tuple(seen.ref.short for seen in state.mesh_deployments if seen.ref in off and seen.ready)
    step = HoldStandby(f"{prefix}standby/gateways-off", f"keep {names} at 0 pods", off, serving)
    return (Phase(f"{prefix}standby", (step,)),)


def obsolete(changes: Changes, gone: Collection[ObjectRef] = ()) -> tuple[Phase, ...]:
    """What the target no longer ships: istioctl's own pruning looks for the new version's label only and misses it.

    `gone` are those that an earlier step deletes.
    """
    refs = tuple(item.ref for item in changes.objects if item.action is Action.REMOVED and item.ref not in gone)
    if not refs:
        return ()
    plural = "object" if len(refs) == 1 else "objects"
    step = RemoveObjects("obsolete/remove", f"remove {len(refs)} {plural} that the manifest no longer has", refs)
    return (Phase("obsolete", (step,)),)


def verification(desired: DesiredMesh, prefix: str = "") -> Phase:
    """The last phase of every hop."""
    step = VerifyMesh(f"{prefix}verify/mesh", f"verify the mesh of {desired.version}", desired.version)
    return Phase(f"{prefix}verify", (step,))
