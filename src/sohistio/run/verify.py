"""Gathers what verification looks at, and runs the checks."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from sohistio.adapters.kubernetes.access import not_analyzable
from sohistio.adapters.kubernetes.api import KubeApi, Object
from sohistio.adapters.kubernetes.certificates import mesh_certificates
from sohistio.adapters.kubernetes.custom_resources import custom_resources, digests, resource_ref
from sohistio.adapters.kubernetes.ending import ending_in, lasting
from sohistio.adapters.kubernetes.footprint import footprint_of
from sohistio.adapters.kubernetes.monitoring import has_monitoring
from sohistio.adapters.kubernetes.observe import observe
from sohistio.checks.certificates import CertificateEvidence
from sohistio.checks.mesh import Evidence, verify
from sohistio.checks.monitoring import MonitoringEvidence
from sohistio.checks.policy import PolicyEvidence
from sohistio.checks.removal import Remains, verify_remains
from sohistio.checks.result import CheckResult
from sohistio.errors import FailedError
from sohistio.istioctl import ANALYZE_SECONDS, Istioctl
from sohistio.model.desired import DesiredMesh
from sohistio.model.finding import Finding
from sohistio.model.held_back import HeldBack
from sohistio.model.kube_target import KubeTarget
from sohistio.model.restart_policy import NO_RESTRAINT, Restraint, held_in
from sohistio.model.state import ClusterState, ObjectRef
from sohistio.model.versions import Version
from sohistio.plan.steps import VerifyGone
from sohistio.planning.declared_monitoring import DeclaredMonitoring
from sohistio.planning.monitoring import WIZARD, not_ready, read_monitoring, receivers_keys
from sohistio.planning.policy import DeclaredPolicy, read_policy, there
from sohistio.planning.reads import or_refused, unreadable
from sohistio.policy.compare import compared
from sohistio.policy.hand_made import hand_made
from sohistio.run.tools import Before, Tools
from sohistio.run.wait import Waiting

# istioctl's last lines that a check repeats: its error comes last.
_WORDS = 2
_LOOK_AGAIN = "What is done stays done: once the cluster can be read again, `sohistio verify` looks."


@dataclass(frozen=True, slots=True)
class Verification:
    """What a verification asks, and what it compares with.

    Within a run, its `waiting` bounds it, and `approved` is what the run was to restart; None where there was none.
    `policy` and `monitoring` are what the environment declares; `policy_written` are the policy's objects that the run
    changed.
    `state` is what was observed of the cluster just now, None where that is still to be done.
    `restraint` and `held_back` are what kept workloads from being restarted.
    """

    api: KubeApi
    target: KubeTarget
    istioctl_for: Callable[[Version], Istioctl]
    before: Before = field(default_factory=Before)
    waiting: Waiting | None = None
    approved: Collection[ObjectRef] | None = None
    state: ClusterState | None = None
    policy: DeclaredPolicy = field(default_factory=DeclaredPolicy)
    policy_written: Collection[ObjectRef] = ()
    monitoring: DeclaredMonitoring = field(default_factory=DeclaredMonitoring)
    restraint: Restraint = NO_RESTRAINT
    held_back: Mapping[ObjectRef, HeldBack] = field(default_factory=dict)


def verify_mesh(asked: Verification, mesh: DesiredMesh) -> tuple[CheckResult, ...]:
    """Every check against the mesh.

    Where the cluster cannot be read, it raises FailedError in a run, and RefusedError else: nothing was touched.
    """
    api, before = asked.api, asked.before
    state = asked.state or observe(api, dry_runs=True)
    if state.unreadable and asked.waiting is None:
        raise unreadable(state)
    if state.unreadable:
        raise FailedError("the cluster could not be read for verification", details=state.unreadable, todo=_LOOK_AGAIN)
    found = _custom_resources(asked)
    unlisted = not_analyzable(api)
    findings: tuple[Finding, ...] = ()
    not_analyzed = ""
    if not unlisted:
        istioctl = asked.istioctl_for(mesh.version)
        try:
            findings = tuple(_analyzed(asked, istioctl))
        except FailedError as error:  # of one check among many: what the others say is no less true
            words = "; ".join(error.details[-_WORDS:])
            not_analyzed = f"{error.what}: {words}" if words else error.what
    return verify(
        Evidence(
            state,
            mesh,
            findings,
            before.ca_root,
            {ref: digest for ref, digest in before.custom_resources.items() if ref not in asked.policy_written},
            digests(lasting(found)) if before.in_a_run else {},
            ending_in(found) if before.in_a_run else (),
            unlisted,
            before.findings,
            approved=asked.approved,
            not_analyzed=not_analyzed,
            policy=_policy(asked, found, state),
            certificates=_certificates(asked, found, state),
            monitoring=_monitoring(asked, found),
            held_back=_held_back(asked, state),
        )
    )


def _held_back(asked: Verification, state: ClusterState) -> Mapping[ObjectRef, HeldBack]:
    """What may not be restarted now, and what the run's plan held back."""
    restraint = asked.restraint
    if restraint.now is None:
        return asked.held_back
    return {**asked.held_back, **held_in(replace(restraint, now=datetime.now(UTC)), state, state.workloads)}


def _policy(asked: Verification, found: Sequence[Object], state: ClusterState) -> PolicyEvidence:
    """From the custom resources that a run has read; nothing of a run that touches none of them.

    Raises RefusedError where they cannot be read outside of one.
    """
    declared = asked.policy
    if asked.waiting is None:
        live = or_refused("the mesh's policy could not be read", lambda: read_policy(asked.api, declared))
    elif asked.before.in_a_run:
        live = {resource_ref(item): item for item in found}
    else:
        return PolicyEvidence()
    comparison = compared(declared.wanted, live, declared.environment, there(state))
    return PolicyEvidence(comparison, hand_made(declared.policy, live, declared.environment))


def _monitoring(asked: Verification, found: Sequence[Object]) -> MonitoringEvidence:
    """Nothing of a run on an environment that declares none. Raises RefusedError where it cannot be read."""
    api, declared = asked.api, asked.monitoring
    what = "monitoring could not be read"
    if not declared.objects and (asked.waiting is not None or not or_refused(what, lambda: has_monitoring(api))):
        return MonitoringEvidence()
    facts = or_refused(what, lambda: read_monitoring(api, declared))
    return MonitoringEvidence(
        facts.comparison,
        not_ready(facts.comparison),
        or_refused(what, lambda: receivers_keys(api, declared.monitoring.alerts)),
        tuple(resource_ref(item) for item in found if WIZARD in (item["metadata"].get("labels") or {})),
    )


def _custom_resources(asked: Verification) -> Sequence[Object]:
    """All of them; none of a run that touches none. Raises RefusedError where they cannot be read outside of one."""
    if asked.waiting is None:
        return or_refused("Istio's custom resources could not be read", lambda: custom_resources(asked.api))
    return custom_resources(asked.api) if asked.before.in_a_run else ()


def _certificates(asked: Verification, found: Sequence[Object], state: ClusterState) -> CertificateEvidence | None:
    """What the mesh lives by; None of a run that does not read the custom resources.

    Raises RefusedError where it cannot be read outside of one.
    """
    api, in_a_run = asked.api, asked.waiting is not None
    if in_a_run and not asked.before.in_a_run:
        return None
    if in_a_run:
        read = mesh_certificates(api, found, state.mesh_deployments)
    else:
        what = "the mesh's certificates could not be read"
        read = or_refused(what, lambda: mesh_certificates(api, found, state.mesh_deployments))
    return CertificateEvidence(read, time.time(), in_a_run)


def verify_gone(tools: Tools, step: VerifyGone, approved: Collection[ObjectRef]) -> tuple[CheckResult, ...]:
    """Every check after an uninstall; `approved` is what it was to restart.

    Raises FailedError where the cluster cannot be read.
    """
    state = observe(tools.api)
    if state.unreadable:
        raise FailedError("the cluster could not be read for verification", details=state.unreadable, todo=_LOOK_AGAIN)
    found = custom_resources(tools.api)
    # An EnvoyFilter of istioctl's own (older versions) goes with its mesh: it was nobody's custom resource.
    before = {ref: digest for ref, digest in tools.before.custom_resources.items() if ref not in step.taken}
    after, ending = digests(lasting(found)), (*state.ending, *ending_in(found))
    return verify_remains(
        Remains(step, state, footprint_of(tools.api), tools.before.ca_root, before, after, ending, approved)
    )


def _analyzed(asked: Verification, istioctl: Istioctl) -> list[Finding]:
    """istioctl's findings; asked for once more where it failed in an outage of the API server."""
    waiting = asked.waiting
    if waiting is None:
        return istioctl.analyze(asked.target)
    begun = time.monotonic()
    with waiting.at_most(ANALYZE_SECONDS, "istioctl analyze has not ended"):
        try:
            return istioctl.analyze(asked.target, timeout=min(ANALYZE_SECONDS, waiting.seconds_left()))
        except FailedError:
            waiting.pause(0)
            waiting.api.request("GET", "/version")  # returns once the server is back
            if not waiting.outage.was_since(begun):
                raise
            return istioctl.analyze(asked.target, timeout=min(ANALYZE_SECONDS, waiting.seconds_left()))
