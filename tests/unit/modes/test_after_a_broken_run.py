"""What the next run decides after one that did not end well."""

from __future__ import annotations

import pytest

from observed import istiod, state
from runs import run
from sohistio.model.desired import DesiredMesh
from sohistio.model.mode import Mode
from sohistio.model.state import ClusterState, ObjectRef
from sohistio.model.versions import Version
from sohistio.modes.decide import Asked, decide
from sohistio.modes.planner import Subject, make_plan
from sohistio.plan.changes import Action, Changes, ObjectChange
from sohistio.plan.steps import CompleteRecord

TARGET, STATION = Version(1, 31, 1), Version(1, 30, 5)
SOME = Changes((ObjectChange(ObjectRef("ConfigMap", "istio-system", "istio"), Action.CHANGED),))


@pytest.mark.parametrize("outcome", ["running", "brokeOff", "interrupted", "failed", "verificationFailed"])
def test_it_says_how_the_last_one_ended(outcome: str) -> None:
    last = run(outcome=outcome, last_step="control-plane/install")
    decision = decide(state(), Asked(TARGET), SOME, last)
    assert decision.mode is Mode.REINSTALL
    assert decision.reasons[-1] == f"{last.how_it_ended()}: this one goes on from what is there"


def test_nothing_is_said_after_one_that_did_well() -> None:
    for last in (None, run(last_step="verify/mesh")):
        decision = decide(state(), Asked(TARGET), Changes(), last)
        assert (decision.mode, decision.unrecorded, len(decision.reasons)) == (Mode.NONE, False, 1)


def test_what_is_in_place_already_is_verified_and_recorded() -> None:
    mesh = DesiredMesh(TARGET, "# the manifest\n", (), (), state().sidecar)
    decision = decide(state(), Asked(TARGET), Changes(), run(outcome="running", last_step="verify/mesh"))
    assert decision.mode is Mode.NONE
    plan = make_plan(Subject("qa", str(TARGET), state()), decision, [mesh], Changes())
    assert [step.id for step in plan.steps] == ["verify/mesh", "record/complete"]
    last = plan.steps[-1]
    assert isinstance(last, CompleteRecord)
    assert (str(last.version), last.operator) == ("1.31.1", "# the manifest\n")
    assert plan.changes_pending


NO_MESH = state(istiods=(), sidecar=None)
HALF = state(istiods=(), leftovers=(ObjectRef("Service", "istio-system", "istiod"),))


@pytest.mark.parametrize(
    ("seen", "asked", "mode"),
    [
        pytest.param(NO_MESH, Mode.REINSTALL, Mode.INSTALL, id="killed-between-uninstall-and-install"),
        pytest.param(HALF, Mode.INSTALL, Mode.REINSTALL, id="killed-while-it-installed"),
        pytest.param(state(), Mode.UPGRADE, Mode.REINSTALL, id="killed-when-istiod-was-new-already"),
    ],
)
def test_the_mode_asked_for_may_stay_in_the_command(seen: ClusterState, asked: Mode, mode: Mode) -> None:
    """The same words go on after a run that was interrupted; without one they must fit."""
    goes_on = decide(seen, Asked(TARGET, asked), SOME, run(outcome="running"))
    assert (goes_on.mode, goes_on.refusal) == (mode, "")
    assert "does not fit" in decide(seen, Asked(TARGET, asked), SOME, run()).refusal


def test_an_upgrade_asked_for_never_becomes_a_replacement() -> None:
    old = state(istiods=(istiod("1.29.8"),))
    decision = decide(old, Asked(TARGET, Mode.UPGRADE), SOME, run(outcome="running"))
    assert "does not fit" in decision.refusal


@pytest.mark.parametrize(
    ("installed", "outcome", "hops"),
    [
        pytest.param("1.29.8", "running", (STATION, TARGET), id="before-the-station"),
        pytest.param("1.30.5", "running", (STATION, TARGET), id="at-the-station"),
        pytest.param("1.30.5", "failed", (STATION, TARGET), id="failed-at-the-station"),
        pytest.param("1.30.5", "done", (TARGET,), id="not-broken"),
        pytest.param("1.30.4", "running", (TARGET,), id="no-station"),
        pytest.param("1.31.1", "running", (TARGET,), id="at-the-target"),
    ],
)
def test_a_chain_goes_on_with_the_same_words(installed: str, outcome: str, hops: tuple[Version, ...]) -> None:
    """The station at which it broke off is done again: its gateways and sidecars may be behind."""
    seen = state(istiods=(istiod(installed),))
    decision = decide(seen, Asked(TARGET, via=(STATION,)), SOME, run(outcome=outcome, last_step="1.30.5/x"))
    assert (decision.hops, decision.refusal) == (hops, "")
