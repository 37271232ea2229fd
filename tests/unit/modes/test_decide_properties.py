"""Whatever a cluster shows: one mode, with its reasons, and nothing that nobody asked for."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from any_clusters import CHANGES, CLUSTERS, RUNS, TARGETS, VERSIONS, VIA
from observed import istiod, state
from sohistio.model.mode import Mode
from sohistio.model.record import RunEntry
from sohistio.model.state import ClusterState, Istiod, ObjectRef
from sohistio.model.versions import Version
from sohistio.modes.decide import Asked, Decision, decide
from sohistio.plan.changes import Changes

DECIDED = frozenset({Mode.UNKNOWN, Mode.INSTALL, Mode.UPGRADE, Mode.REINSTALL, Mode.NONE})
MODES = st.sampled_from([None, None, None, Mode.INSTALL, Mode.UPGRADE, Mode.REINSTALL])
ASKED = st.builds(Asked, TARGETS, MODES, VIA, st.booleans())
ANY = (CLUSTERS, ASKED, CHANGES, RUNS)
SECOND = ObjectRef("Deployment", "istio-system", "istiod-old")


def refused(decision: Decision) -> bool:
    return bool(decision.refusal)


@settings(max_examples=200)
@given(*ANY)
def test_there_is_exactly_one_mode_with_its_reasons(
    seen: ClusterState, asked: Asked, changes: Changes, last: RunEntry | None
) -> None:
    decision = decide(seen, asked, changes, last)
    assert decision.mode in DECIDED
    assert decision.reasons
    assert all(decision.reasons)
    assert decide(seen, asked, changes, last) == decision, "the same again"
    if decision.mode is Mode.UNKNOWN:
        assert refused(decision), "who does not know what is there stops"
        assert decision.hops == ()
    else:
        assert decision.hops[-1] == asked.target


@given(*ANY)
def test_what_cannot_be_read_is_never_guessed(
    seen: ClusterState, asked: Asked, changes: Changes, last: RunEntry | None
) -> None:
    decision = decide(replace(seen, unreadable=("Pods: 403",)), asked, changes, last)
    assert (decision.mode, decision.reasons, refused(decision)) == (Mode.UNKNOWN, ("Pods: 403",), True)


@settings(max_examples=200)
@given(*ANY)
def test_a_downgrade_is_never_done_without_being_asked(
    seen: ClusterState, asked: Asked, changes: Changes, last: RunEntry | None
) -> None:
    decision = decide(seen, asked, changes, last)
    if decision.installed is None or refused(decision) or decision.mode is Mode.NONE:
        return
    for before, after in pairwise((decision.installed, *decision.hops)):
        assert before <= after or asked.mode is Mode.REINSTALL


@settings(max_examples=200)
@given(VERSIONS, ASKED, CHANGES, RUNS)
def test_in_place_it_goes_upwards_and_only_a_replacement_skips_minors(
    installed: Version, asked: Asked, changes: Changes, last: RunEntry | None
) -> None:
    """Of a chain of `--via` the version policy has the last word, which no flag skips (test_plan_properties)."""
    decision = decide(state(istiods=(istiod(str(installed)),)), asked, changes, last)
    assume(not refused(decision))
    assert decision.installed == installed
    if decision.replace:
        assert asked.target.minor - installed.minor not in (0, 1) or asked.mode is Mode.REINSTALL
    elif decision.mode is Mode.UPGRADE and not asked.via:
        assert installed < asked.target
        assert asked.target.minor - installed.minor in (0, 1)
    elif decision.mode in (Mode.REINSTALL, Mode.NONE):
        assert installed == asked.target


@given(*ANY)
def test_nothing_to_do_means_that_all_is_as_it_should_be(
    seen: ClusterState, asked: Asked, changes: Changes, last: RunEntry | None
) -> None:
    decision = decide(seen, asked, changes, last)
    if decision.mode is Mode.NONE:
        assert (decision.installed, bool(changes), refused(decision)) == (asked.target, False, False)
        assert not any(item.held for item in seen.mesh_deployments)


@given(*ANY)
@example(
    state(istiods=(istiod("1.31.1"), Istiod(SECOND, istiod().revision, "1.29.8", "1.29.8"))),
    Asked(Version(1, 31, 1)),
    Changes(),
    None,
)
def test_the_order_in_which_a_cluster_lists_things_decides_nothing(
    seen: ClusterState, asked: Asked, changes: Changes, last: RunEntry | None
) -> None:
    turned = replace(
        seen, istiods=seen.istiods[::-1], leftovers=seen.leftovers[::-1], mesh_deployments=seen.mesh_deployments[::-1]
    )
    one, other = (decide(which, asked, changes, last) for which in (seen, turned))
    assert (one.mode, one.installed, one.hops, one.replace) == (other.mode, other.installed, other.hops, other.replace)
    assert refused(one) is refused(other)


@given(*ANY)
def test_a_mode_by_name_is_that_mode_or_refused(
    seen: ClusterState, asked: Asked, changes: Changes, last: RunEntry | None
) -> None:
    """But for nothing to do, which is what was asked for; and for a run that goes on where the last one stopped."""
    decision = decide(seen, asked, changes, last)
    goes_on = last is not None and not last.ended_well and not decision.replace
    if asked.mode is not None and not refused(decision) and not goes_on:
        assert decision.mode in (asked.mode, Mode.NONE)
