"""The mode table, row by row (README, "Modes")."""

from __future__ import annotations

import pytest

from seen import istiod, state
from sohistio.changes import Action, Changes, ObjectChange
from sohistio.modes.decide import decide
from sohistio.plan import Mode
from sohistio.state import ClusterState, ObjectRef
from sohistio.versions import Version

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
            state(istiods=(istiod(namespace="aks-istio-system"),)),
            NONE,
            Mode.UNKNOWN,
            False,
            "aks-istio-system",
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
    decision = decide(seen, TARGET, changes)
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
    decision = decide(seen, TARGET, changes, requested)
    assert decision.mode is mode
    assert bool(decision.refusal) is refused


def test_what_an_upgrade_by_name_replaces_is_said() -> None:
    decision = decide(state(istiods=(istiod("1.30.5"),)), TARGET, SOME, Mode.REINSTALL)
    assert decision.replace
    assert "--mode reinstall" in decision.reasons[-1]
