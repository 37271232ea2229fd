"""Plans install, upgrade, reinstall and nothing: `sohistio plan` and `sohistio install`."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sohistio.adapters.kubernetes.ending import ending_resources
from sohistio.adapters.kubernetes.observe import observe
from sohistio.environments.support import gateway_api_limits, kubernetes_support
from sohistio.model.ending import sentence
from sohistio.model.mode import Mode
from sohistio.model.state import ClusterState
from sohistio.model.versions import Version
from sohistio.modes import application_routing
from sohistio.modes.adopt import adoption, decided, taking_over, with_undeclared
from sohistio.modes.decide import Asked, Decision, decide, via_flags
from sohistio.modes.namespaces import labels_of, labels_phase, notices_of, secrets_phase
from sohistio.modes.planner import NamespacePhases, Subject, make_plan
from sohistio.modes.replicas import with_replicas
from sohistio.modes.skew import SkewProblem, old_proxies, skew_problems
from sohistio.plan.backup_steps import TakeBackup
from sohistio.plan.changes import Changes
from sohistio.planning.planned import Planned
from sohistio.planning.pull_secrets import look_at_pull_secrets
from sohistio.planning.reads import compared, or_refused, owned, recorded
from sohistio.planning.session import Session


@dataclass(frozen=True, slots=True)
class Request:
    """What the command line asks of the plan: a mode by name, stations on the way, checks to skip by name, and the
    CA's key in the backup."""

    mode: Mode | None = None
    via: tuple[Version, ...] = ()
    skip_checks: frozenset[str] = frozenset()
    include_ca: bool = False


def plan_install(session: Session, request: Request) -> Planned:
    """Look at the cluster and plan. Writes nothing."""
    environment, target = session.environment, session.version
    listed = environment.application_namespaces
    seen = observe(session.api, listed)
    labels = labels_of(seen, listed)
    state = labels.once_done(seen)
    asked = Asked(target, request.mode, request.via, request.include_ca)
    subject = Subject(environment.name, str(target), state)

    def again() -> Planned:
        return plan_install(session, request)

    decision = decide(state, asked, Changes())
    if decision.mode is Mode.UNKNOWN:  # somebody else's mesh is not even compared
        return Planned(session, make_plan(subject, decision, (), Changes()), state, again, todo=decision.todo)
    record = recorded(session)
    gone_soon = or_refused("Istio's custom resources could not be read", lambda: ending_resources(session.api))
    state = replace(state, ending=(*state.ending, *gone_soon))
    of_gateways = {gateway.namespace for gateway in environment.gateways} & {item.name for item in seen.namespaces}
    pull = look_at_pull_secrets(session, sorted({*of_gateways, *labels.injected(seen)}))
    desired, manifest = session.render(target, session.operator_yaml(target))
    session.told("comparing the manifest with the cluster")
    owners = owned(session, manifest)
    changes = with_undeclared(with_replicas(compared(session, manifest, record), desired, state), owners)
    taken = adoption(state, owners, desired, record)
    decision = decided(decide(state, asked, changes, record.last_change if record else None), taken)
    stations = [session.render(hop, session.operator_yaml(hop))[0] for hop in decision.hops[:-1]]
    if decision.replace and decision.installed is not None and not decision.refusal:
        session.istioctl(decision.installed)  # the uninstall needs it: better to miss it now than half way
    problems = _skew(session, state, decision)
    skew = [problem for problem in problems if problem.name not in request.skip_checks]
    if labels.refusal and not decision.refusal:
        decision = replace(decision, refusal=labels.refusal, todo=labels.todo)
    around = NamespacePhases(secrets_phase(pull.seen), labels_phase(labels))
    plan = taking_over(make_plan(subject, decision, [*stations, desired], changes, skew, around), taken)
    plan = replace(plan, notices=(*plan.notices, *notices_of(labels, pull.seen), *pull.notices))
    if state.ending:
        plan = replace(plan, notices=(*plan.notices, sentence(state.ending)))
    if plan.steps:
        plan = replace(plan, notices=(*plan.notices, *application_routing.notices(state)))
    if changes.notice:
        plan = replace(plan, notices=(*plan.notices, changes.notice))
    if decision.replace and decision.installed is not None and decision.installed < target and not plan.refusal:
        offer = f"instead of replacing, it can be upgraded in steps: {proposal(session, decision)}"
        plan = replace(plan, notices=(*plan.notices, offer))
    if request.include_ca and plan.steps and not any(isinstance(step, TakeBackup) for step in plan.steps):
        nothing = "--include-ca has no effect: the version stays the same, so no backup is taken"
        plan = replace(plan, notices=(*plan.notices, nothing))
    if decision.installed == target:
        old = tuple(problem.message for problem in old_proxies(state, target))
        plan = replace(plan, notices=(*plan.notices, *old))
    meshes = {mesh.version: mesh for mesh in [*stations, desired]}
    todo = _todo(session, decision, skew)
    return Planned(
        session,
        plan,
        state,
        again,
        meshes,
        record,
        todo,
        unsettled=pull.unsettled,
        pull_credential=pull.credential,
        manifest=manifest,
        skew=problems,
    )


def _skew(session: Session, state: ClusterState, decision: Decision) -> tuple[SkewProblem, ...]:
    if decision.refusal or decision.mode is Mode.NONE:
        return ()
    in_place = not decision.replace and bool(state.istiods)
    support, limits = kubernetes_support(session.root), gateway_api_limits(session.root)
    return skew_problems(state, decision.installed, decision.hops, support, in_place=in_place, limits=limits)


def _todo(session: Session, decision: Decision, skew: list[SkewProblem]) -> str:
    if decision.refusal:
        return decision.todo
    skippable = [problem.name for problem in skew if not problem.mandatory]
    if skew and len(skippable) == len(skew):
        first = "Restart these workloads first: `sohistio restart`. " if "proxy-skew" in skippable else ""
        return f"{first}If you know better: " + " ".join(f"--skip-check {name}" for name in skippable) + "."
    if any(problem.name == "one-minor-at-a-time" for problem in skew) and decision.installed:
        return f"Give an intermediate version for each minor: {proposal(session, decision)}."
    return "Nothing was changed."


def proposal(session: Session, decision: Decision) -> str:
    """The `--via` flags of a chain that reaches the target a minor at a time, from what the mirror has."""
    return via_flags(decision.installed, decision.hops, session.newest_patch) if decision.installed else ""
