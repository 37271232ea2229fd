"""Decision × what is seen × what is wanted → Plan. The one place where phases are put in order."""

from __future__ import annotations

from sohistio import postinstall
from sohistio.changes import Changes
from sohistio.desired import DesiredMesh
from sohistio.modes import install, reinstall
from sohistio.modes.decide import Decision
from sohistio.plan import Mode, Phase, Plan
from sohistio.state import ClusterState, selector_matches
from sohistio.versions import Version

Decided = tuple[Decision, Changes]

_VERBS = {Mode.INSTALL: "install", Mode.UPGRADE: "upgrade to", Mode.REINSTALL: "re-apply"}


def make_plan(
    environment: str, target: Version, state: ClusterState, desired: DesiredMesh | None, decided: Decided
) -> Plan:
    """The plan of `sohistio plan` and `sohistio install`. A refused or unknown one has no phases.

    `desired` is None only where the mode is unknown.
    """
    decision, changes = decided
    phases: tuple[Phase, ...] = ()
    notices: list[str] = []
    if desired is not None and not decision.refusal:
        phases = _phases(state, desired, decision)
        notices = _notices(state, desired, decision)
    return Plan(
        environment=environment,
        cluster=state.server,
        mode=decision.mode,
        installed_version=str(decision.installed or ""),
        target_version=str(target),
        reasons=decision.reasons,
        phases=phases,
        changes=changes,
        notices=tuple(notices),
        refusal=decision.refusal,
    )


def restart_only(environment: str, state: ClusterState, decision: Decision, target: Version) -> Plan:
    """The plan of `sohistio restart`: the mesh is left as it is."""
    phases = postinstall.restart_phase(state, state.sidecar)
    return Plan(
        environment=environment,
        cluster=state.server,
        mode=Mode.NONE,
        installed_version=str(decision.installed or ""),
        target_version=str(target),
        reasons=("only workloads whose sidecar is not the mesh's",),
        phases=(*phases, install.verification()) if phases else (),
    )


def _phases(state: ClusterState, desired: DesiredMesh, decision: Decision) -> tuple[Phase, ...]:
    phases: list[Phase] = []
    if decision.mode is not Mode.NONE:
        if decision.replace and decision.installed is not None:
            phases.append(reinstall.removal(decision.installed))
        verb = "install" if decision.replace else _VERBS[decision.mode]
        phases += [install.control_plane(desired, verb), *install.standby(desired)]
    phases += postinstall.restart_phase(state, desired.sidecar)
    return (*phases, install.verification()) if phases else ()


def _notices(state: ClusterState, desired: DesiredMesh, decision: Decision) -> list[str]:
    notices = [reinstall.TRAFFIC_NOTICE] if decision.replace else []
    for item in desired.deployments:
        seen = next((mesh for mesh in state.mesh_deployments if mesh.ref == item.ref), None)
        if seen is None:
            continue
        over = [
            budget.ref.name
            for budget in state.budgets
            if budget.ref.namespace == item.ref.namespace and selector_matches(budget.selector, seen.pod_labels)
        ]
        if len(over) > 1:
            notices.append(
                f"{item.ref.name} has {len(over)} PodDisruptionBudgets ({', '.join(sorted(over))}): "
                "eviction fails under two, keep the environment's and delete the others"
            )
    return notices
