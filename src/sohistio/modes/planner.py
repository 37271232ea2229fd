"""Decision × what is seen × what is wanted → Plan. The one place where phases are put in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sohistio import postinstall
from sohistio.model.desired import DesiredMesh
from sohistio.model.fault import Fault
from sohistio.model.mode import Mode
from sohistio.model.restart_policy import NO_RESTRAINT, Restraint
from sohistio.model.state import ISTIO_NAMESPACE, ClusterState, ObjectRef, ObservedService
from sohistio.modes import handover, install, reinstall
from sohistio.modes.decide import Decision
from sohistio.modes.gateway_changes import gateway_changes
from sohistio.modes.restrained import restrained
from sohistio.modes.sidecar_notices import sidecar_notices
from sohistio.modes.webhooks import OPENED_NOTICE, repair_phase
from sohistio.plan.changes import Changes, ObjectChange
from sohistio.plan.gateway_steps import HandOverAddress
from sohistio.plan.plan import Phase, Plan
from sohistio.plan.steps import RestartWorkloads

_VERBS = {
    Mode.INSTALL: "install",
    Mode.UPGRADE: "upgrade to",
    Mode.REINSTALL: "re-apply",
    Mode.ROLLBACK: "go back to",
}


@dataclass(frozen=True, slots=True)
class Subject:
    """What every plan is about, and what holds its restarts back."""

    environment: str
    target: str
    state: ClusterState
    restraint: Restraint = NO_RESTRAINT


@dataclass(frozen=True, slots=True)
class NamespacePhases:
    """`secrets` come before the mesh, `labels` once the first control plane runs, before workloads are restarted."""

    secrets: tuple[Phase, ...] = ()
    labels: tuple[Phase, ...] = ()


@dataclass(frozen=True, slots=True)
class OwnPhases:
    """What the objects take that sohistio makes of an environment's policy, or of its monitoring: `ways_out` before
    the mesh closes undeclared external hosts, `others` when workloads have their sidecars. `refusal` says why nothing
    may be applied, `todo` what to do about it.
    """

    ways_out: tuple[Phase, ...] = ()
    others: tuple[Phase, ...] = ()
    changes: tuple[ObjectChange, ...] = ()
    refusal: str = ""
    todo: str = ""
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Beside:
    """What is done beside the mesh itself, in every mode. `authority` is plugged in before istiod could make one."""

    namespaces: NamespacePhases = NamespacePhases()
    policy: OwnPhases = OwnPhases()
    monitoring: OwnPhases = OwnPhases()
    authority: tuple[Phase, ...] = ()


_NOTHING = Beside()


@dataclass(frozen=True, slots=True)
class _Around:
    """What comes around the installs: `withheld` gateways before the first, `after_install` right after it."""

    beside: Beside
    withheld: tuple[Phase, ...]
    after_install: tuple[Phase, ...]


def make_plan(
    subject: Subject,
    decision: Decision,
    meshes: Sequence[DesiredMesh],
    changes: Changes,
    skew: Sequence[Fault] = (),
    beside: Beside = _NOTHING,
) -> Plan:
    """The plan of install, upgrade, reinstall and rollback. A refused or unknown one has no phases.

    `meshes` are the hops' manifests in order, the target's last; none where the mode is unknown. `skew` holds the
    problems that were not skipped; `beside` is what is done beside, in every mode.
    """
    refusal = decision.refusal or _skew_refusal(skew) or _without_namespace(meshes, subject.state)
    plan = Plan(
        environment=subject.environment,
        cluster=subject.state.server,
        mode=decision.mode,
        installed_version=str(decision.installed or ""),
        target_version=subject.target,
        reasons=decision.reasons,
        changes=changes,
        refusal=refusal,
    )
    if refusal or not meshes:
        return plan
    # Every hop has the environment's own gateways, so what the target changes is what any of them does.
    moved = gateway_changes(changes, subject.state.gateway_services)
    withheld: tuple[Phase, ...] = ()
    if not decision.replace and decision.installed == meshes[0].version:
        withheld = reinstall.withheld(subject.state, changes)
    after_install = (
        *reinstall.relabelling(subject.state, released=decision.replace or bool(withheld)),
        *handover.handover(subject.state, meshes[0], changes),
        *handover.moved_addresses(meshes[0], moved),
    )
    plan = replace(
        plan,
        changes=changes.merged((*beside.policy.changes, *beside.monitoring.changes)),
        phases=_phases(subject.state, meshes, decision, changes, _Around(beside, withheld, after_install)),
        notices=_notices(subject.state, decision),
        gateway_changes=moved,
        addressed=tuple(seen.ref for seen in subject.state.gateway_services if _is_addressed(seen)),
    )
    plan = replace(plan, notices=(*plan.notices, *handover.notices(plan)))
    return restrained(plan, subject.state, subject.restraint)


def _notices(state: ClusterState, decision: Decision) -> tuple[str, ...]:
    """What is noticed while there is no istiod yet: new pods, where some are injected, and traffic in a replacement."""
    if decision.replace:
        return (reinstall.TRAFFIC_NOTICE, OPENED_NOTICE)
    injected = any(seen.injected for seen in state.namespaces)
    opens = decision.mode is not Mode.NONE and not state.has_ready_istiod
    return (OPENED_NOTICE,) if opens and injected else ()


def _is_addressed(service: ObservedService) -> bool:
    return service.type == "LoadBalancer" and bool(service.addresses)


def restart_plan(subject: Subject, desired: DesiredMesh) -> Plan:
    """The plan of `sohistio restart`: the mesh is left as it is."""
    repairs, state = repair_phase(subject.state), subject.state
    if repairs:
        state = postinstall.once_injected(state)
    phases = (*repairs, *postinstall.restart_phase(state, state.sidecar))
    plan = Plan(
        environment=subject.environment,
        cluster=subject.state.server,
        mode=Mode.RESTART,
        installed_version=subject.target,
        target_version=subject.target,
        reasons=("only workloads whose sidecar is not the mesh's",),
        phases=(*phases, install.verification(desired)) if phases else (),
    )
    plan = restrained(plan, subject.state, subject.restraint)
    return replace(plan, notices=(*sidecar_notices(subject.state, plan), *plan.notices))


def _skew_refusal(skew: Sequence[Fault]) -> str:
    return "; ".join(f"{fault.rule}: {fault.message}" for fault in skew)


def _restarted_in(phases: Sequence[Phase]) -> set[ObjectRef]:
    steps = [step for phase in phases for step in phase.steps if isinstance(step, RestartWorkloads)]
    return {ref for step in steps for ref in step.workloads}


def _without_namespace(meshes: Sequence[DesiredMesh], state: ClusterState) -> str:
    """istioctl makes no namespace but istio-system: it would fail half way, with the control plane in place."""
    there = {seen.name for seen in state.namespaces if not seen.ending} | {ISTIO_NAMESPACE}
    missing = dict.fromkeys(item.ref for mesh in meshes for item in mesh.gateways if item.ref.namespace not in there)
    return "; ".join(
        f"namespace {ref.namespace}, where {ref.name} is to be, does not exist or is being deleted: "
        f"`kubectl create namespace {ref.namespace}`"
        for ref in missing
    )


def _phases(
    state: ClusterState,
    meshes: Sequence[DesiredMesh],
    decision: Decision,
    changes: Changes,
    around: _Around,
) -> tuple[Phase, ...]:
    *between, target = meshes
    repairs = repair_phase(state)
    if repairs or decision.mode is not Mode.NONE:
        state = postinstall.once_injected(state)  # istioctl, or the repair, makes what injects again
    phases, labels, after_install = (
        [*repairs, *around.beside.authority, *around.beside.namespaces.secrets],
        around.beside.namespaces.labels,
        around.after_install,
    )
    ways_out = around.beside.policy.ways_out
    restarted: set[ObjectRef] = set()
    if decision.mode is not Mode.NONE:
        if decision.installed is not None and decision.installed != target.version:
            phases.append(install.backup(decision.installed, include_ca=decision.include_ca))
        if decision.replace and decision.installed is not None:
            phases.append(reinstall.removal(state, target, decision.installed))
        # Without a mesh nobody knows these kinds yet; without a ready istiod its webhook refuses them.
        if state.has_ready_istiod and not decision.replace:
            phases += ways_out
            ways_out = ()
        phases += around.withheld
        verb = "install" if decision.replace else _VERBS[decision.mode]
        given = [step.giver for phase in after_install for step in phase.steps if isinstance(step, HandOverAddress)]
        for mesh in between:
            name = f"{mesh.version}/"
            again = mesh.version == decision.installed
            phases += [install.control_plane(state, mesh, _VERBS[Mode.REINSTALL] if again else verb, name)]
            phases += [*after_install, *install.standby(state, mesh, name), *ways_out, *labels]
            after_install, ways_out, labels = (), (), ()
            restart = postinstall.restart_phase(state, mesh.sidecar, name, earlier=restarted, arriving=True)
            restarted |= _restarted_in(restart)
            phases += [*restart, install.verification(mesh, name)]
        phases += [
            install.control_plane(state, target, verb, changes=changes, replaced=decision.replace),
            *after_install,
            *install.standby(state, target),
            *install.obsolete(changes, given),
        ]
    changing = decision.mode is not Mode.NONE
    phases += [
        *ways_out,
        *labels,
        *postinstall.restart_phase(state, target.sidecar, earlier=restarted, arriving=changing),
        *around.beside.policy.others,
        *around.beside.monitoring.others,
    ]
    if not phases and not decision.unrecorded:
        return ()
    return (*phases, install.verification(target), *(install.completion(target) if decision.unrecorded else ()))
