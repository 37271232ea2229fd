"""The plan of `sohistio uninstall`: what istioctl takes, what it leaves, what stays, and what running sidecars lose."""

from __future__ import annotations

from dataclasses import replace

from sohistio.model.footprint import NAMESPACE_REF, Footprint, MeshObject, Removal
from sohistio.model.mode import Mode
from sohistio.model.revision import Revision
from sohistio.model.selector import selector_matches
from sohistio.model.state import ISTIO_NAMESPACE, ClusterState, ObjectRef
from sohistio.model.versions import Version
from sohistio.modes import install
from sohistio.modes import uninstall_words as words
from sohistio.modes.decide import foreign_mesh
from sohistio.modes.namespaces import labelled_by_sohistio, unlabelling
from sohistio.modes.planner import Subject
from sohistio.modes.webhooks import repair_phase
from sohistio.plan.adoption_steps import StopOperator
from sohistio.plan.backup_steps import CheckBackup
from sohistio.plan.monitoring_steps import PruneMonitoring
from sohistio.plan.plan import Phase, Plan
from sohistio.plan.steps import RemoveObjects, RestartWorkloads, Step, UninstallIstio, VerifyGone
from sohistio.postinstall import partings

# What `istioctl uninstall --revision default` looks for (operator/pkg/uninstall/prune.go): the components, the kinds.
_ISTIOCTLS = frozenset({"Pilot", "IngressGateways", "EgressGateways", "Cni", "Ztunnel"})
_NOT_ISTIOCTLS_KINDS = frozenset(
    {"NetworkPolicy", "ResourceQuota", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding", "Lease"}
)
# Labels of the mesh's pods as the charts give them: a hand-made budget may outlive the Deployment it was made for.
_POD_LABELS = (
    {"app": "istiod", "istio": "pilot"},
    {"app": "istio-ingressgateway", "istio": "ingressgateway"},
    {"app": "istio-egressgateway", "istio": "egressgateway"},
)


def uninstall_plan(subject: Subject, footprint: Footprint, asked: Removal) -> Plan:
    """What is taken away and what stays. No phases where there is nothing to take, or where it is refused."""
    state = subject.state
    version = installed_version(state)
    plan = Plan(
        environment=subject.environment,
        cluster=state.server,
        mode=Mode.UNINSTALL,
        installed_version=str(version or ""),
        target_version="",
        reasons=_reasons(state, footprint, version),
    )
    if strange := foreign_mesh(state):
        reasons = tuple(what for what, _ in strange)
        return replace(plan, reasons=reasons, refusal="sohistio cannot uninstall this mesh")
    taken = _taking_away(state, footprint, version)
    phases = [*_monitoring(footprint, asked), *taken, *_restart(state, asked), *_certificates(footprint)]
    phases += _purge(state, footprint, asked, there=bool(taken))
    if not phases:
        left = bool(state.carriers or state.unowned_carriers)
        offer = (words.offer(subject.environment),) if left else ()
        return replace(plan, notices=(*words.being_deleted(state, footprint), *offer))
    if words.proxies(state) and not asked.with_sidecars:
        return replace(plan, refusal=_refusal(state))
    phases = [*repair_phase(state), *_operator(state), *phases]
    if asked.purge:
        phases.insert(0, install.backup(version, include_ca=asked.include_ca))
    return replace(
        plan,
        phases=(*phases, _verification(footprint, asked)),
        notices=tuple(words.notices_of(subject, footprint, asked, took=bool(taken))),
    )


def installed_version(state: ClusterState) -> Version | None:
    """The version in the cluster: istiod's image says it, else the labels of what is left; None where neither does."""
    tags = [tag for istiod in state.istiods for tag in (istiod.image_version, istiod.label_version)]
    known = next((version for version in map(Version.from_tag, tags) if version), None)
    return known or max((v for v in map(Version.from_tag, state.leftover_versions) if v), default=None)


def _refusal(state: ClusterState) -> str:
    running = words.count(words.proxies(state), "running pod")
    return f"{running} outside the mesh's own gateways would lose the control plane"


def _reasons(state: ClusterState, footprint: Footprint, version: Version | None) -> tuple[str, ...]:
    if state.istiods:
        return (f"Istio {version or 'of an unknown version'} is installed",)
    if footprint.objects or footprint.certificates:
        count = len(footprint.objects) + len(footprint.certificates)
        return (f"half a mesh: there is no istiod, but {words.count(count, 'object')} of one",)
    if gone := [item for item in footprint.monitoring if item.ref not in words.kept_of_monitoring(footprint)]:
        return (
            "there is no mesh",
            f"there still is what watched one: {words.count(len(gone), 'object')} of monitoring",
        )
    if kept := words.kept(footprint):
        return ("there is no mesh", f"of an earlier one there still is: {kept}")
    return ("there is no mesh and nothing of one",)


def _taking_away(state: ClusterState, footprint: Footprint, version: Version | None) -> list[Phase]:
    """istioctl takes what it finds by its labels; it needs a webhook of the revision for that. We take all else."""
    by_istioctl = [item.ref for item in footprint.objects if _is_istioctls(item, state.revision)]
    has_webhook = any(ref.kind == "MutatingWebhookConfiguration" for ref in by_istioctl)
    phases: list[Phase] = []
    beside = any(_is_istioctls(item, state.revision) for item in footprint.of_aks)
    if version is None or not has_webhook or beside:
        by_istioctl = []
    else:
        step = UninstallIstio(
            "mesh/uninstall",
            f"uninstall Istio {version} with its own istioctl: {words.count(len(by_istioctl), 'object')}",
            version,
            tuple(by_istioctl),
            state.revision,
        )
        phases.append(Phase("mesh", (step,)))
    rest = [item.ref for item in footprint.objects if item.ref not in set(by_istioctl)]
    rest += _budgets(state, footprint)
    if rest:
        if by_istioctl:
            left = f"that istioctl leaves: {words.kinds(rest)}"
        elif beside:
            left = "of the mesh, without istioctl: it would take those of AKS application routing as well"
        else:
            left = "of the mesh, without the labels that istioctl matches on"
        summary = f"remove {words.count(len(rest), 'object')} {left}"
        phases.append(Phase("leftovers", (RemoveObjects("leftovers/remove", summary, tuple(rest)),)))
    return phases


def _monitoring(footprint: Footprint, asked: Removal) -> list[Phase]:
    """What watches the mesh; its disks stay, but for a purge: then they go with the namespace."""
    kept = () if asked.purge else words.kept_of_monitoring(footprint)
    gone = [item for item in footprint.monitoring if item.ref not in kept]
    steps: list[Step] = []
    for environment in dict.fromkeys(item.environment for item in gone):
        items = [item for item in gone if item.environment == environment]
        refs, paths = tuple(item.ref for item in items), tuple(item.path for item in items)
        summary = f"remove {words.count(len(refs), 'object')} of monitoring"
        name = "monitoring/remove" if not steps else f"monitoring/remove-{environment}"
        steps.append(PruneMonitoring(name, summary, environment, refs, paths))
    return [Phase("monitoring", tuple(steps))] if steps else []


def _operator(state: ClusterState) -> list[Phase]:
    """Istio's in-cluster operator would put back what is taken away; its finalizers would hold up a purge."""
    controllers, resources = state.operator_controllers, state.operator_resources
    if not controllers and not resources:
        return []
    summary = f"stop Istio's in-cluster operator and release {words.count(len(resources), 'IstioOperator')}"
    return [Phase("operator", (StopOperator("operator/stop", summary, controllers, resources),))]


def _is_istioctls(item: MeshObject, revision: Revision) -> bool:
    known = item.component in _ISTIOCTLS and item.revision == revision
    return known and item.ref.kind not in _NOT_ISTIOCTLS_KINDS


def _budgets(state: ClusterState, footprint: Footprint) -> list[ObjectRef]:
    """Hand-made budgets over the mesh's pods: they carry no label of istioctl, and nothing is left for them."""
    labels = [
        *_POD_LABELS,
        *(seen.pod_labels for seen in state.mesh_deployments if seen.ref.namespace == ISTIO_NAMESPACE),
    ]
    known = {item.ref for item in footprint.objects}
    return [
        budget.ref
        for budget in state.budgets
        if budget.ref.namespace == ISTIO_NAMESPACE
        and budget.ref not in known
        and any(selector_matches(budget.selector, pod) for pod in labels)
    ]


def _restart(state: ClusterState, asked: Removal) -> list[Phase]:
    """After the webhooks are gone, and before the ConfigMaps are that running sidecars mount."""
    to_restart, left = partings(state)
    if not asked.restart_workloads or not to_restart:
        return []
    refs = tuple(workload.ref for workload in to_restart)
    summary = f"restart {words.count(len(refs), 'workload')} so that their sidecars go"
    return [
        Phase("sidecars", (RestartWorkloads("sidecars/restart", summary, refs, tuple(left), without_sidecar=True),))
    ]


def _certificates(footprint: Footprint) -> list[Phase]:
    refs = footprint.certificates
    if not refs:
        return []
    places = words.count(len({ref.namespace for ref in refs}), "namespace")
    summary = f"remove {words.count(len(refs), 'ConfigMap')} with the root certificate from {places}"
    return [Phase("certificates", (RemoveObjects("certificates/remove", summary, refs),))]


def _purge(state: ClusterState, footprint: Footprint, asked: Removal, *, there: bool) -> list[Phase]:
    labelled, pull_secrets = labelled_by_sohistio(state), _outside(footprint)
    left = footprint.crds or footprint.ca_secrets or footprint.namespace or labelled or pull_secrets
    if not asked.purge or not (there or left):
        return []
    steps: list[Step] = []
    if labelled:
        steps.append(unlabelling("purge/labels", labelled))
    if pull_secrets:
        summary = f"delete {words.count(len(pull_secrets), 'pull Secret')} that sohistio wrote"
        steps.append(RemoveObjects("purge/pull-secrets", summary, pull_secrets))
    # At the last moment: with the CRDs go all custom resources, with the namespace those in it.
    steps.append(CheckBackup("purge/check-backup", "check that the backup holds every custom resource as it is now"))
    if footprint.crds:
        summary = f"delete {words.count(len(footprint.crds), 'CRD')} with {words.resources(footprint)}"
        steps.append(RemoveObjects("purge/crds", summary, footprint.crds))
    if footprint.ca_secrets:
        names = ", ".join(ref.name for ref in footprint.ca_secrets)
        steps.append(
            RemoveObjects("purge/ca", f"delete the certificate authority, Secret {names}", footprint.ca_secrets)
        )
    # Last: our lock and the record are in it. It is there by now: the lock makes it where it is missing.
    summary = f"delete namespace {ISTIO_NAMESPACE} with all that is in it"
    steps.append(RemoveObjects("purge/namespace", summary, (NAMESPACE_REF,)))
    return [Phase("purge", tuple(steps))]


def _outside(footprint: Footprint) -> tuple[ObjectRef, ...]:
    """Our pull Secrets that do not go with the mesh's namespace."""
    return tuple(ref for ref in footprint.pull_secrets if ref.namespace != ISTIO_NAMESPACE)


def _verification(footprint: Footprint, asked: Removal) -> Phase:
    stays = (*footprint.crds, *footprint.ca_secrets, NAMESPACE_REF)
    step = VerifyGone(
        "verify/gone",
        "verify that nothing of the mesh is left" + ("" if asked.purge else ", and that what is kept is there"),
        kept=() if asked.purge else stays,
        purged=(*_outside(footprint), *stays) if asked.purge else (),
        taken=tuple(item.ref for item in footprint.objects if item.ref.kind == "EnvoyFilter"),
    )
    return Phase("verify", (step,))
