"""The mode table, row by row (docs/modes-and-safety.md)."""

from __future__ import annotations

import pytest

from observed import istiod, state
from sohistio.model.mode import Mode
from sohistio.model.record import RunEntry
from sohistio.model.state import ClusterState, ObjectRef
from sohistio.model.versions import Version
from sohistio.modes.chain import via_flags
from sohistio.modes.decide import Asked, decide
from sohistio.plan.changes import Action, Changes, ObjectChange

TARGET = Version(1, 31, 1)
WEBHOOK = ObjectRef("MutatingWebhookConfiguration", "", "istio-sidecar-injector")
NONE = Changes()
SOME = Changes((ObjectChange(WEBHOOK, Action.CHANGED),))
EMPTY = state(istiods=(), sidecar=None)
HALF = state(istiods=(), leftovers=(WEBHOOK,), leftover_versions=("1.31.1",))


@pytest.mark.parametrize(
    ("seen", "changes", "mode", "replace", "reason"),
    [
        pytest.param(
            state(unreadable=("Deployments: 403",)), NONE, Mode.UNKNOWN, False, "Deployments: 403", id="forbidden"
        ),
        pytest.param(
            state(istiods=(istiod("1.30.5", label="1.31.1"),)),
            SOME,
            Mode.UNKNOWN,
            False,
            "its label says 1.31.1",
            id="contradictory",
        ),
        pytest.param(
            state(istiods=(istiod("latest"),)), SOME, Mode.UNKNOWN, False, "no readable version", id="no-version"
        ),
        pytest.param(
            state(istiods=(istiod(), istiod(revision="canary"))),
            NONE,
            Mode.UNKNOWN,
            False,
            "revision canary",
            id="second-revision",
        ),
        pytest.param(
            state(istiods=(istiod(namespace="aks-istio-system", revision="asm-1-28"),)),
            NONE,
            Mode.UNKNOWN,
            False,
            "is the managed add-on of AKS",
            id="aks-add-on",
        ),
        pytest.param(EMPTY, SOME, Mode.INSTALL, False, "no mesh", id="no-mesh"),
        pytest.param(
            state(istiods=(istiod("1.31.0"),)), SOME, Mode.UPGRADE, False, "same minor", id="older-same-minor"
        ),
        pytest.param(
            state(istiods=(istiod("1.30.5"),)), SOME, Mode.UPGRADE, False, "next minor", id="one-minor-behind"
        ),
        pytest.param(
            state(istiods=(istiod("1.30.5-distroless", label="1.30.5"),)),
            SOME,
            Mode.UPGRADE,
            False,
            "1.30.5",
            id="variant-tag",
        ),
        pytest.param(
            state(istiods=(istiod("1.31.1-beta.1-distroless", label="1.31.1-beta.1"),)),
            SOME,
            Mode.UPGRADE,
            False,
            "1.31.1-beta.1 is installed; 1.31.1 is the same minor, newer",
            id="a-pre-release-of-the-target",
        ),
        pytest.param(
            state(istiods=(istiod("1.31.1-beta.1", label="1.31.1"),)),
            SOME,
            Mode.UNKNOWN,
            False,
            "runs image version 1.31.1-beta.1, its label says 1.31.1",
            id="a-pre-release-labelled-as-the-release",
        ),
        pytest.param(
            state(istiods=(istiod("1.32.0-rc.0"),)),
            SOME,
            Mode.REINSTALL,
            True,
            "newer than the target",
            id="a-newer-pre-release",
        ),
        pytest.param(
            state(istiods=(istiod("1.29.8"),)), SOME, Mode.REINSTALL, True, "2 minors behind", id="two-minors-behind"
        ),
        pytest.param(
            state(istiods=(istiod("1.32.0"),)), SOME, Mode.REINSTALL, True, "newer than the target", id="newer"
        ),
        pytest.param(HALF, SOME, Mode.REINSTALL, False, "half a mesh", id="half-there"),
        pytest.param(state(), SOME, Mode.REINSTALL, False, "differs from the environment's manifest", id="differs"),
        pytest.param(state(), NONE, Mode.NONE, False, "differs in nothing", id="in-sync"),
    ],
)
def test_the_mode_table(seen: ClusterState, changes: Changes, mode: Mode, replace: bool, reason: str) -> None:
    decision = decide(seen, Asked(TARGET), changes)
    assert (decision.mode, decision.replace) == (mode, replace)
    assert reason in " ".join(decision.reasons)


@pytest.mark.parametrize(
    ("seen", "changes", "requested", "mode", "refused"),
    [
        pytest.param(state(istiods=(istiod("1.32.0"),)), SOME, None, Mode.REINSTALL, True, id="downgrade-unasked"),
        pytest.param(
            state(istiods=(istiod("1.32.0"),)), SOME, Mode.REINSTALL, Mode.REINSTALL, False, id="downgrade-by-name"
        ),
        pytest.param(
            state(istiods=(istiod("1.32.0"),)), SOME, Mode.UPGRADE, Mode.REINSTALL, True, id="downgrade-as-upgrade"
        ),
        pytest.param(state(istiods=(istiod("1.30.5"),)), SOME, Mode.UPGRADE, Mode.UPGRADE, False, id="upgrade-by-name"),
        pytest.param(
            state(istiods=(istiod("1.30.5"),)), SOME, Mode.INSTALL, Mode.UPGRADE, True, id="install-over-a-mesh"
        ),
        pytest.param(
            state(istiods=(istiod("1.30.5"),)), SOME, Mode.REINSTALL, Mode.REINSTALL, False, id="replace-by-name"
        ),
        pytest.param(state(), NONE, Mode.REINSTALL, Mode.REINSTALL, False, id="re-apply-by-name"),
        pytest.param(state(), NONE, Mode.UPGRADE, Mode.NONE, False, id="upgrade-already-there"),
        pytest.param(EMPTY, SOME, Mode.UPGRADE, Mode.INSTALL, True, id="upgrade-of-nothing"),
        pytest.param(EMPTY, SOME, Mode.REINSTALL, Mode.INSTALL, True, id="reinstall-of-nothing"),
        pytest.param(
            state(istiods=(), leftovers=(WEBHOOK,), leftover_versions=("1.32.0",)),
            SOME,
            None,
            Mode.REINSTALL,
            True,
            id="newer-rest",
        ),
        pytest.param(state(unreadable=("403",)), NONE, Mode.REINSTALL, Mode.UNKNOWN, True, id="unreadable"),
    ],
)
def test_a_mode_asked_for_by_name(
    seen: ClusterState, changes: Changes, requested: Mode | None, mode: Mode, refused: bool
) -> None:
    decision = decide(seen, Asked(TARGET, requested), changes)
    assert decision.mode is mode
    assert bool(decision.refusal) is refused


def test_what_an_upgrade_by_name_replaces_is_said() -> None:
    decision = decide(state(istiods=(istiod("1.30.5"),)), Asked(TARGET, Mode.REINSTALL), SOME)
    assert decision.replace
    assert "--mode reinstall" in decision.reasons[-1]


@pytest.mark.parametrize(
    ("installed", "via", "hops"),
    [
        pytest.param("1.29.8", ("1.30.5",), ("1.30.5", "1.31.1"), id="one-station"),
        pytest.param("1.28.3", ("1.29.8", "1.30.5"), ("1.29.8", "1.30.5", "1.31.1"), id="two-stations"),
        pytest.param("1.30.5", ("1.30.5",), ("1.31.1",), id="already-at-the-station"),
    ],
)
def test_a_chain_of_upgrades(installed: str, via: tuple[str, ...], hops: tuple[str, ...]) -> None:
    stations = tuple(Version.parse(text) for text in via)
    decision = decide(state(istiods=(istiod(installed),)), Asked(TARGET, via=stations), SOME)
    assert decision.mode is Mode.UPGRADE
    assert tuple(map(str, decision.hops)) == hops
    assert not decision.refusal


@pytest.mark.parametrize("via", [("1.30.5", "1.30.4"), ("1.32.0",), ("1.30.5", "1.30.5"), ("1.31.1",)])
def test_a_chain_that_does_not_rise_is_refused(via: tuple[str, ...]) -> None:
    stations = tuple(Version.parse(text) for text in via)
    decision = decide(state(istiods=(istiod("1.29.8"),)), Asked(TARGET, via=stations), SOME)
    assert "--via does not lead upwards" in decision.refusal


def test_a_run_that_was_killed_is_named() -> None:
    killed = RunEntry(
        "1", Mode.UPGRADE, "qa", "", "", "1.30.5", "1.31.1", "me", "host", "10:00", last_step="sidecars/restart"
    )
    decision = decide(state(istiods=(istiod("1.30.5"),)), Asked(TARGET), SOME, killed)
    assert "did not finish: it was last seen at step sidecars/restart" in decision.reasons[-1]


def test_nothing_left_to_do_after_a_killed_run_is_nothing() -> None:
    killed = RunEntry(
        "1", Mode.UPGRADE, "qa", "", "", "1.30.5", "1.31.1", "me", "host", "10:00", last_step="verify/mesh"
    )
    assert decide(state(), Asked(TARGET), NONE, killed).mode is Mode.NONE


def test_a_pre_release_that_is_the_target_is_in_place() -> None:
    beta = Version(1, 32, 0, "beta.1")
    decision = decide(state(istiods=(istiod("1.32.0-beta.1"),)), Asked(beta), NONE)
    assert decision.mode is Mode.NONE


@pytest.mark.parametrize(
    ("installed", "hops", "flags"),
    [
        ("1.29.8", ("1.31.1",), "--via 1.30.5"),
        ("1.28.3", ("1.31.1",), "--via 1.29.N --via 1.30.5"),
        ("1.8.0", ("1.9.2", "1.11.0"), "--via 1.9.2 --via 1.10.N"),
        ("1.29.8", ("1.30.5", "1.31.0-rc.1", "1.31.0", "1.32.1"), "--via 1.30.5 --via 1.31.0-rc.1 --via 1.31.0"),
    ],
)
def test_the_stations_proposed_rise(installed: str, hops: tuple[str, ...], flags: str) -> None:
    hops_given = [Version.parse(text) for text in hops]
    assert via_flags(Version.parse(installed), hops_given, [Version(1, 30, 5)]) == flags
