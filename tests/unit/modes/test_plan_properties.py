"""The plan of any cluster, carried out on paper: no step too long, no downgrade unasked, nothing if it is refused."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import event, given, settings

from any_plans import ANY, planned
from sohistio.model.mode import Mode
from sohistio.model.record import RunEntry
from sohistio.model.state import ClusterState
from sohistio.model.versions import Version
from sohistio.modes.decide import Asked
from sohistio.plan.changes import Changes
from sohistio.plan.plan import Plan
from sohistio.plan.risk import Risk
from sohistio.plan.steps import InstallIstio, RemoveObjects, RestartWorkloads, UninstallIstio, VerifyMesh


@dataclass
class Paper:
    """What the mesh is while the steps of a plan are carried out: its version, None for none."""

    version: Version | None
    way: list[tuple[Version | None, Version]] = field(default_factory=list)

    def carry_out(self, plan: Plan) -> None:
        for step in plan.steps:
            if isinstance(step, UninstallIstio):
                self.version = None
            elif isinstance(step, InstallIstio):
                self.way.append((self.version, step.version))
                self.version = step.version


@settings(max_examples=180)
@given(*ANY)
def test_no_step_in_place_is_longer_than_a_minor_and_none_leads_down_unasked(
    seen: ClusterState, asked: Asked, changes: Changes, last: RunEntry | None, skipped: frozenset[str]
) -> None:
    decision, found = planned(seen, asked, changes, last, skipped)
    paper = Paper(decision.installed if seen.istiods else None)
    before = paper.version
    paper.carry_out(found.plan)
    for old, new in paper.way:
        event("replaced" if old is None else "in place")
        if old is not None:
            assert old.major == new.major
            assert new.minor - old.minor in (0, 1)
    if paper.way:
        assert paper.version == asked.target
        assert before is None or before <= asked.target or asked.mode is Mode.REINSTALL


@settings(max_examples=100)
@given(*ANY)
def test_what_is_refused_has_no_step(
    seen: ClusterState, asked: Asked, changes: Changes, last: RunEntry | None, skipped: frozenset[str]
) -> None:
    decision, found = planned(seen, asked, changes, last, skipped)
    plan = found.plan
    assert plan.mode is decision.mode
    if decision.refusal or plan.refusal:
        assert plan.refusal
        assert (plan.steps, plan.changes_pending, plan.danger) == ((), False, "")


@settings(max_examples=100)
@given(*ANY)
def test_whatever_takes_something_away_is_named_before(
    seen: ClusterState, asked: Asked, changes: Changes, last: RunEntry | None, skipped: frozenset[str]
) -> None:
    """Where a plan uninstalls or deletes what serves it asks for approval, and an uninstall never purges.

    Only what cannot be upgraded in place, or by somebody's wish, is uninstalled.
    """
    decision, found = planned(seen, asked, changes, last, skipped)
    plan = found.plan
    uninstalls = [step for step in plan.steps if isinstance(step, UninstallIstio)]
    deleted = [ref for step in plan.steps if isinstance(step, RemoveObjects) for ref in step.objects]
    if uninstalls:
        assert "uninstalls the old mesh first" in plan.danger
        assert (plan.mode, decision.installed == asked.target) == (Mode.REINSTALL, False)
        assert not any(step.objects for step in uninstalls)
    for ref in deleted:
        if ref.kind in ("Service", "Deployment", "CustomResourceDefinition"):
            assert plan.danger
    assert set(deleted) <= {change.ref for change in changes.objects}


@settings(max_examples=100)
@given(*ANY)
def test_what_changes_something_is_verified_at_its_end(
    seen: ClusterState, asked: Asked, changes: Changes, last: RunEntry | None, skipped: frozenset[str]
) -> None:
    _, found = planned(seen, asked, changes, last, skipped)
    steps = found.plan.steps
    assert len({step.id for step in steps}) == len(steps), "each id once"
    changing = [number for number, step in enumerate(steps) if step.risk is not Risk.READ and "record" not in step.id]
    verifying = [number for number, step in enumerate(steps) if isinstance(step, VerifyMesh)]
    if changing:
        assert verifying[-1] > changing[-1]
    restarted = [ref for step in steps if isinstance(step, RestartWorkloads) for ref in step.workloads]
    assert set(restarted) <= {item.ref for item in seen.workloads}
