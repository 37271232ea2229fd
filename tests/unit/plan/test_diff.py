"""An approved plan and the one of now: less to do needs no new approval, and differences are named."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from plans import DB, FRESH, HPA, INGRESS, RESTART, WEB, control_plane
from sohistio.model.mode import Mode
from sohistio.model.versions import Version
from sohistio.plan.changes import Action, Changes, FieldChange, ObjectChange
from sohistio.plan.diff import differences, does_no_more
from sohistio.plan.plan import Phase, Plan
from sohistio.plan.steps import CompleteRecord, HoldStandby, InstallIstio, RemoveObjects, UninstallIstio
from sohistio.plan.sync_steps import PruneSynced, SyncObjects

CHANGED = ObjectChange(HPA, Action.CHANGED, (FieldChange("spec.maxReplicas", 20, 10),))
CREATED = ObjectChange(INGRESS, Action.CREATED)
REMOVE = RemoveObjects("obsolete/remove", "remove 2 objects", (HPA, INGRESS))
OFF = HoldStandby("standby/gateways-off", "keep a, b at 0 pods", (INGRESS,), ("a",))
UNINSTALL = UninstallIstio("old-control-plane/uninstall", "uninstall Istio 1.29.8", Version(1, 29, 8), (HPA, INGRESS))
BASE = replace(
    FRESH,
    mode=Mode.UPGRADE,
    installed_version="1.30.5",
    phases=(control_plane("upgrade to", INGRESS), Phase("obsolete", (REMOVE, OFF)), Phase("sidecars", (RESTART,))),
    changes=Changes((CHANGED, CREATED)),
)


def phases(plan: Plan, *changed: Any) -> tuple[Phase, ...]:
    """The plan's phases with steps replaced by id."""
    new = {step.id: step for step in changed}
    return tuple(Phase(phase.name, tuple(new.get(step.id, step) for step in phase.steps)) for phase in plan.phases)


FEWER = replace(RESTART, summary="restart 1 workload", workloads=(WEB,))


@pytest.mark.parametrize(
    ("now", "no_more"),
    [
        pytest.param(BASE, True, id="the-same"),
        pytest.param(replace(BASE, phases=phases(BASE, FEWER)), True, id="fewer-restarts"),
        pytest.param(replace(BASE, phases=BASE.phases[:1]), True, id="fewer-steps"),
        pytest.param(replace(BASE, changes=Changes((CREATED,))), True, id="fewer-changes"),
        pytest.param(replace(BASE, phases=phases(BASE, replace(REMOVE, objects=(HPA,)))), True, id="fewer-removed"),
        pytest.param(replace(BASE, mode=Mode.NONE, phases=(), changes=Changes()), True, id="done-by-now"),
        pytest.param(
            replace(
                BASE,
                mode=Mode.NONE,
                phases=(Phase("record", (CompleteRecord("record/complete", "note", Version(1, 31, 1), "x"),)),),
                changes=Changes(),
            ),
            True,
            id="done-but-not-recorded",
        ),
        pytest.param(replace(BASE, reasons=("otherwise",)), True, id="other-words"),
        pytest.param(replace(BASE, phases=phases(BASE, replace(OFF, serving=()))), True, id="serves-no-more"),
        pytest.param(replace(BASE, phases=phases(BASE, replace(OFF, serving=("a", "b")))), False, id="serves-by-now"),
        pytest.param(replace(BASE, refusal="no"), False, id="refused"),
        pytest.param(replace(BASE, mode=Mode.REINSTALL), False, id="another-mode"),
        pytest.param(replace(BASE, target_version="1.31.2"), False, id="another-target"),
        pytest.param(
            replace(BASE, phases=phases(BASE, replace(RESTART, workloads=(WEB, DB, INGRESS)))),
            False,
            id="more-restarts",
        ),
        pytest.param(replace(BASE, phases=(*BASE.phases, Phase("x", (UNINSTALL,)))), False, id="another-step"),
        pytest.param(
            replace(BASE, phases=phases(BASE, replace(REMOVE, objects=(HPA, INGRESS, WEB)))), False, id="more-removed"
        ),
        pytest.param(
            replace(BASE, changes=Changes((replace(CHANGED, fields=(FieldChange("spec.maxReplicas", 30, 10),)),))),
            False,
            id="another-change",
        ),
    ],
)
def test_only_what_does_no_more_needs_no_new_approval(now: Plan, no_more: bool) -> None:
    assert does_no_more(now, BASE) is no_more


def test_an_istiod_that_got_ready_meanwhile_needs_no_open_injector() -> None:
    install = InstallIstio("control-plane/install", "upgrade", Version(1, 31, 1), "spec: {}\n", (INGRESS,), opens=True)
    opening = replace(BASE, phases=(Phase("control-plane", (install,)),))
    closed = replace(BASE, phases=(Phase("control-plane", (replace(install, opens=False),)),))
    other = replace(BASE, phases=(Phase("control-plane", (replace(install, opens=False, operator="spec: 1\n"),)),))
    assert does_no_more(closed, opening)
    assert not does_no_more(opening, closed)
    assert not does_no_more(other, opening)


def test_an_uninstall_may_find_less_but_not_another_version() -> None:
    approved = replace(BASE, phases=(Phase("old", (UNINSTALL,)),))
    less = replace(approved, phases=(Phase("old", (replace(UNINSTALL, objects=(HPA,)),)),))
    other = replace(approved, phases=(Phase("old", (replace(UNINSTALL, version=Version(1, 30, 5)),)),))
    assert does_no_more(less, approved)
    assert not does_no_more(other, approved)


@pytest.mark.parametrize(
    ("now", "lines"),
    [
        pytest.param(BASE, (), id="none"),
        pytest.param(replace(BASE, mode=Mode.REINSTALL), ("mode: upgrade → reinstall",), id="mode"),
        pytest.param(
            replace(BASE, phases=phases(BASE, FEWER)),
            ("no longer: step sidecars/restart: Deployment shop/db",),
            id="one-workload",
        ),
        pytest.param(
            replace(BASE, phases=BASE.phases[:2]),
            (
                "no longer: step sidecars/restart",
                "no longer: step sidecars/restart: Deployment shop/db",
                "no longer: step sidecars/restart: Deployment shop/web",
            ),
            id="a-step",
        ),
        pytest.param(
            replace(BASE, changes=Changes((CHANGED,))),
            ("no longer: change of Deployment istio-system/istio-ingressgateway",),
            id="a-change",
        ),
        pytest.param(
            replace(
                BASE,
                changes=Changes((replace(CHANGED, fields=(FieldChange("spec.maxReplicas", 30, 10),)), CREATED)),
            ),
            ("different: change of HorizontalPodAutoscaler istio-system/istiod",),
            id="a-value",
        ),
    ],
)
def test_differences_are_named(now: Plan, lines: tuple[str, ...]) -> None:
    assert differences(BASE.document(), now.document()) == lines


def test_a_difference_in_words_only_is_shown_as_it_is() -> None:
    words = differences(BASE.document(), replace(BASE, reasons=("otherwise",)).document())
    assert len(words) == 1
    assert words[0].startswith("reasons: then [")
    assert words[0].endswith("now ['otherwise']")


def test_a_long_list_is_cut() -> None:
    many = tuple(replace(HPA, name=f"h{number}") for number in range(40))
    lines = differences(BASE.document(), replace(BASE, phases=phases(BASE, replace(REMOVE, objects=many))).document())
    assert len(lines) == 21
    assert lines[-1] == "and 23 more differences"


SYNC = SyncObjects("sync/apply", "create 2 objects as in prod", ("{}", "[]"), "prod")
PRUNE = PruneSynced("sync/prune", "delete 1", "prod", (HPA,), ("/a",))
SYNC_PLAN = replace(FRESH, mode=Mode.SYNC, phases=(Phase("sync", (SYNC, PRUNE)),), changes=Changes())


@pytest.mark.parametrize(
    ("now", "no_more"),
    [
        pytest.param(replace(SYNC, documents=("{}",), summary="create 1"), True, id="fewer-objects"),
        pytest.param(replace(SYNC, documents=("{}", '{"a": 1}')), False, id="another-content"),
        pytest.param(replace(PRUNE, objects=(WEB,), paths=("/b",)), False, id="another-deleted"),
    ],
)
def test_a_sync_may_shrink_and_nothing_else(now: Any, no_more: bool) -> None:
    assert does_no_more(replace(SYNC_PLAN, phases=phases(SYNC_PLAN, now)), SYNC_PLAN) is no_more
