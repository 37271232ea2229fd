"""Verification as a list of named checks, each with a hint. Pure: what is seen × what is wanted → results."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sohistio.checks.certificates import CertificateEvidence, certificates_last
from sohistio.checks.gateway_proxies import gateway_proxies
from sohistio.checks.held_gateways import held_gateways
from sohistio.checks.monitoring import MonitoringEvidence, monitoring_in_place
from sohistio.checks.off_gateways import is_of_a_gateway_that_is_off
from sohistio.checks.policy import PolicyEvidence, policy_in_place
from sohistio.checks.result import CheckResult, failed, passed, warned
from sohistio.checks.sidecars import sidecars_current
from sohistio.checks.webhooks_alive import webhooks_alive
from sohistio.model.desired import DesiredDeployment, DesiredMesh
from sohistio.model.ending import TODO, how_lost, sentence
from sohistio.model.finding import Finding
from sohistio.model.held_back import HeldBack
from sohistio.model.state import ClusterState, Ending, MeshDeployment, ObjectRef
from sohistio.model.versions import Version
from sohistio.postinstall import budgets_over


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that the checks look at. What is `…_before` is of before the run, and empty where there was nothing.

    `resources_ending` are being deleted, and in neither of the other two. `unlisted` are resources that istioctl's
    analysis needs and the user may not list: then there are no findings.
    `not_analyzed` says why there are none where istioctl failed, in its words; empty where it did not.
    `findings_before` are those of before the run: an error that was there already is not the run's. None: not known.
    `policy` is how the environment's policy compares; None of its objects is among the resources before and after.
    `monitoring` is what watches the mesh.
    `certificates` are what the mesh lives by; None where nobody looked.
    `approved` are the workloads that the run was to restart: it answers for no others. None: there was no run.
    `held_back` are workloads that may not be restarted now, if they need it.
    """

    state: ClusterState
    desired: DesiredMesh
    findings: tuple[Finding, ...]
    ca_before: str = ""
    resources_before: Mapping[ObjectRef, str] = field(default_factory=dict)
    resources_after: Mapping[ObjectRef, str] = field(default_factory=dict)
    resources_ending: tuple[Ending, ...] = ()
    unlisted: tuple[str, ...] = ()
    findings_before: tuple[Finding, ...] | None = ()
    approved: Collection[ObjectRef] | None = None
    not_analyzed: str = ""
    policy: PolicyEvidence = field(default_factory=PolicyEvidence)
    certificates: CertificateEvidence | None = None
    monitoring: MonitoringEvidence = field(default_factory=MonitoringEvidence)
    held_back: Mapping[ObjectRef, HeldBack] = field(default_factory=dict)


def _version(evidence: Evidence) -> Iterator[CheckResult]:
    wanted = evidence.desired.version
    seen = {Version.from_tag(istiod.image_version) for istiod in evidence.state.istiods}
    if seen == {wanted}:
        yield passed("istiod-version", f"istiod runs {wanted}")
    else:
        found = ", ".join(sorted(str(version) for version in seen if version)) or "no istiod"
        yield failed("istiod-version", f"{found} instead of {wanted}", "Run `sohistio install`.")


def _pods(evidence: Evidence) -> Iterator[CheckResult]:
    for item in evidence.desired.deployments:
        seen = _seen(evidence.state, item)
        name = "standby-gateways-off" if item.is_off else "pods-ready"
        if seen is None:
            yield failed(name, f"{item.ref} does not exist", "Run `sohistio install`.")
        elif item.is_off:
            if seen.desired == seen.total == 0:
                yield passed(name, f"{item.ref.short} is off: 0/0")
            else:
                hint = "Traffic may reach the standby. Look who scaled it up; `sohistio failback` ends it."
                yield failed(name, f"{item.ref.short} has {seen.total} pods in a standby", hint)
        elif seen.ready >= max(item.minimum, seen.desired):
            yield passed(name, f"{item.ref.short} {seen.ready}/{seen.desired} ready")
        else:
            wanted = max(item.minimum, seen.desired)
            hint = f"kubectl -n {item.ref.namespace} describe deployment {item.ref.name}"
            yield failed(name, f"{item.ref.short} {seen.ready}/{wanted} ready", hint)


def _gateway_proxies(evidence: Evidence) -> Iterator[CheckResult]:
    yield from gateway_proxies(evidence.state, evidence.desired)


def _addresses(evidence: Evidence) -> Iterator[CheckResult]:
    for wanted in evidence.desired.services:
        if wanted.type != "LoadBalancer":
            continue
        seen = next((service for service in evidence.state.gateway_services if service.ref == wanted.ref), None)
        found = ", ".join(seen.addresses) if seen else ""
        if seen and seen.addresses and (not wanted.address or wanted.address in seen.addresses):
            yield passed("gateway-address", f"{wanted.ref.short} has {found}")
        elif seen and not seen.addresses:
            hint = f"kubectl -n {wanted.ref.namespace} describe service {wanted.ref.name}: its events say why"
            yield failed("gateway-address", f"{wanted.ref.short} waits for {wanted.address or 'an address'}", hint)
        elif seen:
            hint = "Is the address free in the VNet, and does the annotation name it?"
            yield failed("gateway-address", f"{wanted.ref.short} has {found} instead of {wanted.address}", hint)
        else:
            hint = "Run `sohistio install`: it makes the Service again."
            yield failed("gateway-address", f"there is no Service {wanted.ref.short}", hint)


def _budgets(evidence: Evidence) -> Iterator[CheckResult]:
    for item in evidence.desired.deployments:
        seen = _seen(evidence.state, item)
        if seen is None or not item.budget:
            continue
        over = budgets_over(evidence.state.budgets, seen)
        if len(over) == 1 and over[0].min_available == item.budget:
            yield passed("disruption-budget", f"{item.ref.short}: minAvailable {item.budget}")
        elif len(over) > 1:
            names = ", ".join(sorted(budget.ref.name for budget in over))
            hint = "Eviction fails under two budgets: keep the environment's, delete the others."
            yield failed("disruption-budget", f"{item.ref.short} is under {len(over)} budgets: {names}", hint)
        else:
            found = f"minAvailable {over[0].min_available}" if over else "no budget"
            message = f"{item.ref.short} has {found} instead of minAvailable {item.budget}"
            yield failed("disruption-budget", message, "Run `sohistio install`.")


def _sidecars(evidence: Evidence) -> Iterator[CheckResult]:
    yield from sidecars_current(evidence.state, evidence.approved, evidence.held_back)


def _analysis(evidence: Evidence) -> Iterator[CheckResult]:
    if evidence.unlisted:
        message = f"not run: you lack permission to list and watch {', '.join(evidence.unlisted)} in all namespaces"
        yield warned("istioctl-analyze", message, "Somebody with the role sohistio-analyzer as well can run it.")
        return
    if evidence.not_analyzed:
        message = f"not known what it finds: {evidence.not_analyzed}"
        # Where nothing can be compared with before the run no finding fails it, so none that is missing does.
        result = warned if evidence.findings_before is None else failed
        yield result("istioctl-analyze", message, "`sohistio verify` asks it again; all the other checks are made.")
        return
    findings = [
        finding
        for finding in evidence.findings
        if not is_of_a_gateway_that_is_off(finding, evidence.desired, evidence.state)
    ]
    errors = [finding for finding in findings if finding.level == "Error"]
    known, before = evidence.findings_before is not None, evidence.findings_before or ()
    old = {_identity(finding) for finding in before}
    new_errors = [finding for finding in errors if known and _identity(finding) not in old]
    for finding in findings:
        message = finding.line
        if finding in new_errors:
            yield failed("istioctl-analyze", message, finding.documentation_url)
        elif finding.level == "Error":
            since = "there before this run" if known else "it is not known whether it was there before this run"
            yield warned("istioctl-analyze", f"{since}: {message}", finding.documentation_url)
        elif finding.level == "Warning":
            yield warned("istioctl-analyze", message, finding.documentation_url)
    if not new_errors:
        counts = {level: sum(f.level == level for f in findings) for level in ("Error", "Warning", "Info")}
        found = f"no new ones ({counts['Error']} before)" if counts["Error"] else "none"
        found = "not compared with before" if errors and not known else found
        yield passed("istioctl-analyze", f"errors: {found}, warnings: {counts['Warning']}, infos: {counts['Info']}")


def _identity(finding: Finding) -> tuple[str, str, str]:
    return finding.code, finding.origin, finding.message


def _authority(evidence: Evidence) -> Iterator[CheckResult]:
    if not evidence.ca_before:
        return
    if evidence.state.ca_root == evidence.ca_before:
        yield passed("ca-unchanged", f"root certificate {evidence.ca_before[:12]} as before")
    else:
        hint = "Sidecars trust the old root: restore istio-ca-secret or cacerts from the backup before anything else."
        message = (
            f"the root certificate changed from {evidence.ca_before[:12]} to {evidence.state.ca_root[:12] or 'none'}"
        )
        yield failed("ca-unchanged", message, hint)


def _custom_resources(evidence: Evidence) -> Iterator[CheckResult]:
    before, after = evidence.resources_before, evidence.resources_after
    if not before:
        return
    lost = [f"{ref} {how_lost(ref, evidence.resources_ending)}" for ref in before if ref not in after]
    changed = [f"{ref} changed" for ref, digest in before.items() if ref in after and after[ref] != digest]
    if lost or changed:
        hint = "Look who changed them during the run; the backup has them as they were: `sohistio restore`."
        yield failed("custom-resources-unchanged", ", ".join([*lost, *changed]), hint)
    else:
        yield passed("custom-resources-unchanged", f"{len(before)} custom resources as before")


def _ending(evidence: Evidence) -> Iterator[CheckResult]:
    if found := (*evidence.state.ending, *evidence.resources_ending):
        yield warned("being-deleted", sentence(found), TODO)


def _webhooks(evidence: Evidence) -> Iterator[CheckResult]:
    yield from webhooks_alive(evidence.state)


def _held(evidence: Evidence) -> Iterator[CheckResult]:
    yield from held_gateways(evidence.state)


def _policy(evidence: Evidence) -> Iterator[CheckResult]:
    yield from policy_in_place(evidence.policy)


def _monitoring(evidence: Evidence) -> Iterator[CheckResult]:
    yield from monitoring_in_place(evidence.monitoring)


def _certificates(evidence: Evidence) -> Iterator[CheckResult]:
    if evidence.certificates is not None:
        yield from certificates_last(evidence.certificates)


CHECKS: Sequence[Callable[[Evidence], Iterator[CheckResult]]] = (
    _version,
    _pods,
    _gateway_proxies,
    _held,
    _addresses,
    _budgets,
    _webhooks,
    _sidecars,
    _policy,
    _monitoring,
    _authority,
    _certificates,
    _custom_resources,
    _ending,
    _analysis,
)


def verify(evidence: Evidence) -> tuple[CheckResult, ...]:
    """Every check, in order; a check may yield several results (one a gateway, say)."""
    return tuple(result for check in CHECKS for result in check(evidence))


def _seen(state: ClusterState, item: DesiredDeployment) -> MeshDeployment | None:
    return next((mesh for mesh in state.mesh_deployments if mesh.ref == item.ref), None)
