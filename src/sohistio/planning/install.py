"""Gathers what `sohistio plan` and `sohistio install` decide from: the cluster, the record, the rendered manifests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sohistio.adapters.kubernetes.ending import ending_in, resource_metadata
from sohistio.adapters.kubernetes.observe import observe
from sohistio.adapters.probe.https import check_authority
from sohistio.environments.support import gateway_api_limits, kubernetes_support
from sohistio.model.desired import DesiredMesh
from sohistio.model.mode import Mode
from sohistio.model.record import MONITORING, POLICY, Record
from sohistio.model.state import ClusterState
from sohistio.model.versions import Version
from sohistio.modes.adopt import adoption, decided, with_undeclared
from sohistio.modes.chain import missing_minors
from sohistio.modes.decide import Asked, decide, unmanageable
from sohistio.modes.install_plan import Facts, PullSecretFacts, Request, SupportTables, plan_of
from sohistio.modes.namespaces import NamespaceLabels, labels_of
from sohistio.modes.planner import Subject, make_plan
from sohistio.modes.replicas import with_replicas
from sohistio.plan.changes import Changes
from sohistio.planning.authority import AuthorityFacts, look_at_authority
from sohistio.planning.injection import foreseeing
from sohistio.planning.monitoring import MonitoringFacts, look_at_monitoring
from sohistio.planning.planned import Planned, Refused, Rendered
from sohistio.planning.policy import PolicyFacts, labelled_in, look_at_policy
from sohistio.planning.pull_secrets import PullSecrets, look_at_pull_secrets
from sohistio.planning.reads import compared, live_objects, or_refused, owned, recorded
from sohistio.planning.restraint import restraint_of
from sohistio.planning.session import Session
from sohistio.planning.standby import standby_rule


@dataclass(frozen=True, slots=True)
class _Gathered:
    """The facts, and what a run needs beside them; `brief` where something was left out (`plan_install`)."""

    facts: Facts
    record: Record | None
    pull_secrets: PullSecrets
    rendered: Rendered
    policy: PolicyFacts
    monitoring: MonitoringFacts
    authority: AuthorityFacts
    brief: bool


def plan_install(session: Session, request: Request, *, brief: bool = False) -> Planned:
    """Look at the cluster and plan. Writes nothing. Raises RefusedError.

    With `brief`, where there is nothing to do, the custom resources are not read: nobody is told that one is being
    deleted, and the record is believed that sohistio has put nothing beside the mesh.
    """
    listed = session.environment.application_namespaces
    now = session.at_one_moment()
    observed = observe(now.api, listed, dry_runs=True)
    labels = labels_of(observed, listed)
    state = labels.once_done(observed)

    def again() -> Planned:
        return plan_install(session, request, brief=brief)

    if stop := unmanageable(state):  # somebody else's mesh is not even compared
        subject = Subject(session.environment.name, str(session.version), state)
        return Planned(session, make_plan(subject, stop, (), Changes()), state, again, refused=Refused(stop.todo))
    found = _gather(now, request, observed, labels, brief=brief)
    planned = plan_of(found.facts, request)
    if found.brief and planned.plan.changes_pending:
        found = _gather(now, request, observed, labels)
        planned = plan_of(found.facts, request)
    parts = ((POLICY, found.policy.is_there), (MONITORING, found.monitoring.is_there))
    return Planned(
        session,
        planned.plan,
        found.facts.state,
        again,
        found.record,
        found.rendered,
        Refused(planned.todo),
        found.pull_secrets.ready,
        planned.skew,
        found.policy,
        found.monitoring,
        found.authority,
        found.facts.restraint,
        frozenset(name for name, is_there in parts if is_there),
    )


def _gather(
    session: Session, request: Request, observed: ClusterState, labels: NamespaceLabels, *, brief: bool = False
) -> _Gathered:
    """Everything that takes a request or a run of istioctl."""
    environment, target = session.environment, session.version
    for probe in environment.gateway_probes(session.root / environment.name).all:
        check_authority(probe)
    record = recorded(session)
    state = labels.once_done(observed)
    pull = look_at_pull_secrets(session, observed, labels)
    rule = standby_rule(session, state, record)

    def rendered_for(version: Version) -> tuple[DesiredMesh, list[dict[str, Any]]]:
        return session.render(version, session.operator_yaml(version, gateways_off=rule.off))

    desired, manifest = rendered_for(target)
    session.say("comparing the manifest with the cluster")
    live = live_objects(session, manifest)
    owners = owned(session, manifest, live)
    changes = with_undeclared(with_replicas(compared(session, manifest, live, record), desired, state), owners)
    taken = adoption(state, owners, desired, record)
    asked = Asked(target, request.mode, request.via, request.include_ca)
    decision = decided(decide(state, asked, changes, record.last_change if record else None), taken)
    brief = brief and decision.mode is Mode.NONE
    resources: Sequence[dict[str, Any]] = ()
    if not (brief and record is not None and record.has_none(POLICY)):
        resources = or_refused("Istio's custom resources could not be read", lambda: resource_metadata(session.api))
    state = replace(state, ending=(*state.ending, *ending_in(resources)))
    authority = look_at_authority(session, state)
    policy = look_at_policy(session, labelled_in(resources), state)
    monitoring = look_at_monitoring(session, record, brief=brief)
    desired, unforeseen = foreseeing(session.istioctl(target).inject, state, desired, manifest)
    state = replace(state, not_compared=(*state.not_compared, *unforeseen))
    between = [rendered_for(hop)[0] for hop in decision.hops[:-1]]
    if decision.replace and decision.installed is not None and not decision.refusal:
        session.istioctl(decision.installed)  # the uninstall needs it: better to miss it now than half way
    facts = Facts(
        environment=environment.name,
        target=target,
        state=state,
        decision=decision,
        adoption=taken,
        rule=rule,
        labels=labels,
        pull_secrets=PullSecretFacts(pull.seen, pull.notices),
        meshes=(*between, desired),
        changes=changes,
        tables=SupportTables(kubernetes_support(session.root), gateway_api_limits(session.root)),
        policy=policy.phases,
        monitoring=monitoring.phases,
        authority=replace(authority.plan, notices=authority.notices),
        restraint=restraint_of(session, request.share, at=request.at),
        patches=[found for minor in missing_minors(decision) if (found := session.newest_patch(minor))],
    )
    rendered = Rendered({mesh.version: mesh for mesh in facts.meshes}, manifest)
    return _Gathered(facts, record, pull, rendered, policy, monitoring, authority, brief)
