"""Whether a workload may be restarted: environment, namespace and workload each have their say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from observed import state, workload
from sohistio.model.held_back import HeldBack, HeldGroup, Why, groups_of, waiting_words
from sohistio.model.restart_annotations import RESTART, UnreadableError, own_rules, restart_annotations
from sohistio.model.restart_order import left_out, stages_of
from sohistio.model.restart_policy import OptOut, RestartPolicy, Restraint, Share, held, held_in
from sohistio.model.restart_times import freeze_of, window_of
from sohistio.model.state import ObjectRef, ObservedNamespace, Workload

FRIDAY = datetime(2026, 11, 27, 22, 17, 30, tzinfo=UTC)
OPEN, SHUT = "Fri 22:00-23:00 UTC", "Sat 02:00-04:00 Europe/Berlin"
SHUT_POLICY = RestartPolicy(windows=(window_of(SHUT),))
FROZEN_POLICY = RestartPolicy(freezes=(freeze_of("2026-11-27..2026-11-30 UTC", "black friday"),))
NEVER_POLICY = RestartPolicy(opted_out=(OptOut("shop/web", "ask the shop"),))
Notes = Mapping[str, str]
LONG = " ".join(["its team restarts it after the nightly batch"] * 200)


def noted(**values: str) -> dict[str, str]:
    """Annotations: `never` for `sohistio.io/restart`, others by what follows it."""
    return {f"sohistio.io/restart{'' if key == 'restart' else f'-{key}'}": text for key, text in values.items()}


@pytest.mark.parametrize(
    ("policy", "own", "around", "reason"),
    [
        pytest.param(RestartPolicy(), {}, {}, "", id="nothing-said"),
        pytest.param(SHUT_POLICY, {}, {}, "outside its window; opens Sat 2026-11-28 02:00 Europe/Berlin", id="shut"),
        pytest.param(
            RestartPolicy(windows=(window_of(SHUT), window_of("Sat 01:00-02:00 UTC"))),
            {},
            {},
            "outside its windows; opens Sat 2026-11-28 02:00 Europe/Berlin",
            id="both-open-then",
        ),
        pytest.param(
            RestartPolicy(windows=(window_of(SHUT), window_of(OPEN))), {}, {}, "", id="one-of-two-windows-is-open"
        ),
        pytest.param(SHUT_POLICY, noted(windows=OPEN), {}, "", id="its-own-window-decides"),
        pytest.param(SHUT_POLICY, {}, noted(windows=OPEN), "", id="its-namespaces-window-decides"),
        pytest.param(
            RestartPolicy(),
            noted(windows="Sat 05:00-06:00 UTC; Sun 01:00-02:00 UTC"),
            noted(windows=OPEN),
            "outside its windows; opens Sat 2026-11-28 05:00 UTC",
            id="own-before-namespace",
        ),
        pytest.param(
            FROZEN_POLICY,
            noted(windows=OPEN),
            {},
            "frozen (2026-11-27..2026-11-30 UTC: black friday); opens Fri 2026-12-04 22:00 UTC",
            id="a-freeze-beats-a-window",
        ),
        pytest.param(
            RestartPolicy(),
            {},
            noted(freezes="2026-11-27 UTC", reason="stocktaking"),
            "frozen (2026-11-27 UTC: stocktaking); opens Sat 2026-11-28 00:00 UTC",
            id="frozen-by-its-namespace",
        ),
        pytest.param(
            NEVER_POLICY,
            {},
            {},
            "opted out of restarts by restarts.optOut: ask the shop",
            id="never-in-the-environment",
        ),
        pytest.param(
            RestartPolicy(opted_out=(OptOut("shop", "x"),)),
            {},
            {},
            "opted out of restarts by restarts.optOut: x",
            id="never-by-namespace",
        ),
        pytest.param(RestartPolicy(opted_out=(OptOut("shop/we", "x"), OptOut("sho"))), {}, {}, "", id="other-names"),
        pytest.param(
            SHUT_POLICY,
            noted(restart="never", reason="stateful\n  leader"),
            {},
            "opted out of restarts by its annotation: stateful leader",
            id="never-by-annotation",
        ),
        pytest.param(
            RestartPolicy(),
            {},
            noted(restart="never"),
            "opted out of restarts by the annotation of namespace shop",
            id="never-by-its-namespaces-annotation",
        ),
        pytest.param(
            RestartPolicy(),
            noted(restart="no"),
            {},
            "annotation sohistio.io/restart is 'no', expected never",
            id="unreadable-word",
        ),
        pytest.param(
            RestartPolicy(),
            noted(order=" "),
            {},
            "annotation sohistio.io/restart-order is empty, expected canary",
            id="empty-word",
        ),
        pytest.param(
            RestartPolicy(),
            {},
            noted(restart=""),
            "its namespace shop: annotation sohistio.io/restart is empty, expected never",
            id="empty-word-of-its-namespace",
        ),
        pytest.param(
            RestartPolicy(),
            noted(freezes=""),
            {},
            "annotation sohistio.io/restart-freezes is empty, expected days and their time zone such as "
            "`2026-12-20..2027-01-06 Europe/Berlin` or `2026-12-24 UTC`",
            id="empty-times",
        ),
        pytest.param(
            RestartPolicy(),
            noted(freezes="2026-12-24 UTC;"),
            {},
            "annotation sohistio.io/restart-freezes has an empty part, expected days and their time zone such as "
            "`2026-12-20..2027-01-06 Europe/Berlin` or `2026-12-24 UTC`",
            id="an-empty-part-of-times",
        ),
        pytest.param(
            SHUT_POLICY, noted(restart="Never "), {}, "opted out of restarts by its annotation", id="never-in-capitals"
        ),
        pytest.param(
            RestartPolicy(),
            {"label sohistio.io/restart": "never"},
            {},
            "the label sohistio.io/restart has 'never', which is not read there: write it as an annotation "
            "(metadata.annotations) and remove the label",
            id="a-label",
        ),
        pytest.param(
            RestartPolicy(),
            {},
            {"label sohistio.io/restart": "never"},
            "its namespace shop: the label sohistio.io/restart has 'never', which is not read there: write it as an "
            "annotation (metadata.annotations) and remove the label",
            id="a-label-of-its-namespace",
        ),
        pytest.param(
            RestartPolicy(),
            {"label sohistio.io/restrat": "never"},
            {},
            "the label 'sohistio.io/restrat' is not read: remove it, or write what you mean as an annotation of the "
            "object itself (Did you mean sohistio.io/restart?)",
            id="a-label-of-another-name",
        ),
        pytest.param(
            RestartPolicy(),
            {},
            noted(windows="Sat 2-4 \x1b[31mUTC"),
            "its namespace shop: annotation sohistio.io/restart-windows has 'Sat 2-4 \\x1b[31mUTC', expected a window "
            "such as `Sat-Sun 02:00-04:00 Europe/Berlin` or `daily 22:00-02:00 UTC`",
            id="unreadable-and-hostile",
        ),
        pytest.param(
            RestartPolicy(),
            noted(window=OPEN),
            {},
            "there is no annotation 'sohistio.io/restart-window' (Did you mean sohistio.io/restart-windows?)",
            id="no-such-annotation",
        ),
    ],
)
def test_why_a_workload_is_held_back(policy: RestartPolicy, own: Notes, around: Notes, reason: str) -> None:
    found = held(Restraint(policy), workload(annotations=own), around, FRIDAY)
    assert (found.reason if found else "") == reason


@pytest.mark.parametrize(
    ("policy", "own", "why"),
    [
        (SHUT_POLICY, {}, None),
        (FROZEN_POLICY, noted(windows=SHUT, freezes="2026-11-27 UTC"), None),
        (NEVER_POLICY, {}, Why.OPT_OUT),
        (SHUT_POLICY, noted(restart="never"), Why.OPT_OUT),
        (SHUT_POLICY, noted(restart="NEVER"), Why.OPT_OUT),
        (SHUT_POLICY, noted(restart="nevr"), Why.ANNOTATION),
    ],
)
def test_outside_windows_overrules_times_and_nothing_else(policy: RestartPolicy, own: Notes, why: Why | None) -> None:
    found = held(Restraint(policy, outside_windows=True), workload(annotations=own), {}, FRIDAY)
    assert (found.why if found else None) == why


def test_from_when_it_may_be_restarted_is_said_for_machines() -> None:
    found = held(Restraint(SHUT_POLICY), workload(), {}, FRIDAY)
    assert found is not None
    assert found.document() == {
        "kind": "Deployment",
        "namespace": "shop",
        "name": "web",
        "why": "window",
        "reason": "outside its window; opens Sat 2026-11-28 02:00 Europe/Berlin",
        "opens": "2026-11-28T01:00:00Z",
        "todo": "`sohistio restart` takes it once its window is open.",
    }


@pytest.mark.parametrize(
    ("policy", "own", "around"),
    [
        (RestartPolicy(), noted(restart="never", reason=LONG), {}),
        (RestartPolicy(opted_out=(OptOut("shop", LONG),)), {}, {}),
        (RestartPolicy(), {}, noted(freezes="2026-11-27 UTC", reason=LONG)),
        (RestartPolicy(freezes=(freeze_of("2026-11-27 UTC", LONG),)), {}, {}),
    ],
    ids=["annotation", "environment", "freeze-of-namespace", "freeze-of-environment"],
)
def test_a_long_reason_is_cut_for_people_and_whole_for_machines(
    policy: RestartPolicy, own: Notes, around: Notes
) -> None:
    found = held(Restraint(policy), workload(annotations=own), around, FRIDAY)
    assert found is not None
    assert LONG in str(found.document()["reason"])
    assert len(found.words) < 260
    assert "the nightly batch" in found.words
    assert "…" in found.words
    assert found.words.endswith("…") is not bool(found.opens), "what sohistio says after it is not cut"
    assert "nightly batch" in HeldGroup(found, (found.ref,)).line
    assert LONG not in HeldGroup(found, (found.ref,)).line


def test_how_many_wait_is_a_sentence() -> None:
    one = HeldBack(ObjectRef("Deployment", "shop", "web"), Why.WINDOW, "outside its window")
    found = [waiting_words([one] * count) for count in (0, 1, 50)]
    assert found == ["", "1 workload is not restarted now", "50 workloads are not restarted now"]
    assert groups_of([one, one])[0].line == "Deployment shop/web, Deployment shop/web: outside its window"


@pytest.mark.parametrize(
    ("labelled", "opted_in", "listed", "restarted"),
    [(True, True, (), True), (False, True, (), False), (False, False, (), True), (False, True, ("shop",), True)],
)
def test_what_asks_for_its_sidecar_by_itself_may_be_left_out(
    labelled: bool, opted_in: bool, listed: tuple[str, ...], restarted: bool
) -> None:
    policy = RestartPolicy(also_injected=False, application_namespaces=frozenset(listed))
    place = ObservedNamespace("shop", injected=True, injection="enabled" if labelled else None)
    seen = state(namespaces=(place,), workloads=(workload(opted_in=opted_in),))
    assert (not held_in(Restraint(policy, FRIDAY), seen, seen.workloads)) is restarted
    assert not held_in(Restraint(replace(policy, also_injected=True), FRIDAY), seen, seen.workloads)


def test_without_a_time_nothing_is_held_back() -> None:
    assert held_in(Restraint(NEVER_POLICY), state(), (workload(),)) == {}


def test_only_annotations_about_restarts_are_kept() -> None:
    found = {"a": "b", "sohistio/restarted-for": "", "sohistio.io/held": "x", "sohistio.io/restart": "never"}
    kept = restart_annotations({"metadata": {"annotations": found, "labels": {"app": "web"}}})
    assert kept == {"sohistio.io/restart": "never"}


_NEVER = {RESTART: "never"}


@pytest.mark.parametrize(
    ("item", "quoted"),
    [
        ({"metadata": {"annotations": {"sohistio.io/Restart-x": ""}}}, "'sohistio.io/Restart-x'"),
        ({"metadata": {"annotations": {"sohistio.io/restrat": "never"}}}, "'sohistio.io/restrat'"),
        ({"metadata": {"annotations": {"Sohistio.io/restart": "never"}}}, "'Sohistio.io/restart'"),
        ({"metadata": {"labels": _NEVER}}, "the label sohistio.io/restart has 'never', which is not read there"),
        (
            {"spec": {"template": {"metadata": {"annotations": _NEVER}}}},
            "the annotation sohistio.io/restart of its pod template has 'never', which is not read there: move it to",
        ),
        (
            {"spec": {"template": {"metadata": {"labels": _NEVER}}}},
            "the label sohistio.io/restart of its pod template has 'never', which is not read there: write it as",
        ),
        (
            {"spec": {"template": {"metadata": {"labels": {"sohistio.io/team": "a"}}}}},
            "the label 'sohistio.io/team' of its pod template is not read: remove it, or write what you mean as",
        ),
    ],
)
def test_a_slip_of_the_pen_is_no_permission(item: dict[str, Any], quoted: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        own_rules(restart_annotations(item))
    assert quoted in str(caught.value)


@pytest.mark.parametrize(
    "annotations",
    [
        noted(windows=""),
        noted(windows=f"{OPEN};"),
        noted(windows=";".join([OPEN] * 33)),
        noted(freezes="2026-12-24"),
        noted(order="first"),
        noted(restart=""),
        noted(windows="x" * 300000),
    ],
)
def test_what_cannot_be_read_is_quoted_and_short(annotations: Notes) -> None:
    with pytest.raises(UnreadableError) as caught:
        own_rules(annotations)
    assert next(iter(annotations)) in str(caught.value)
    assert len(str(caught.value)) < 300


def many(count: int, namespace: str = "shop") -> list[Workload]:
    return [workload(ref=ObjectRef("Deployment", namespace, f"w{number}")) for number in range(count)]


def test_a_percentage_is_always_of_the_same_workloads() -> None:
    everything = many(200)

    def taken(percent: int, stale: list[Workload]) -> set[ObjectRef]:
        return {w.ref for w in stale} - {item.ref for item in left_out(Share(percent=percent), everything, stale)}

    first = taken(20, everything)
    assert len(first) == 40
    assert taken(20, list(reversed(everything))) == first
    rest = [w for w in everything if w.ref not in first]
    assert taken(20, rest) == set(), "what was restarted is still of the 20 %: no others take its place"
    assert first < taken(40, everything)
    assert taken(100, everything) == {w.ref for w in everything}
    # Some more workloads change few of those that were picked before.
    grown = [*everything, *many(20, "more")]
    again = {w.ref for w in grown} - {item.ref for item in left_out(Share(percent=20), grown, grown)}
    assert len(again & first) >= 36


def test_a_count_is_of_what_needs_a_restart() -> None:
    stale = many(50)
    rest = left_out(Share(count=15), many(500), stale)
    assert len(rest) == 35
    assert {item.reason for item in rest} == {"not within --limit 15"}
    assert left_out(Share(count=15), many(500), list(reversed(stale))) == list(reversed(rest))
    assert left_out(Share(count=60), many(500), stale) == []
    assert len(left_out(Share(percent=1), many(3), many(3))) == 2, "a share of anything is at least one"
    assert left_out(None, many(3), many(3)) == []


def test_the_canary_comes_first_then_the_namespaces_as_listed() -> None:
    policy = RestartPolicy(canary=("demo", "shop/w1"), namespaces=("late", "shop"))
    workloads = [*many(2, "billing"), *many(1, "demo"), *many(1, "late"), *many(3, "shop"), *many(1, "tests")]
    workloads[0] = replace(workloads[0], annotations=noted(order="canary"))
    places = (ObservedNamespace("tests", injected=True, annotations=noted(order="canary")),)
    found = [
        (stage.suffix, [f"{w.ref.namespace}/{w.ref.name}" for w in stage.workloads])
        for stage in stages_of(policy, state(namespaces=places), workloads)
    ]
    assert found == [
        ("-canary", ["billing/w0", "demo/w0", "shop/w1", "tests/w0"]),
        ("-in-late", ["late/w0"]),
        ("-in-shop", ["shop/w0", "shop/w2"]),
        ("", ["billing/w1"]),
    ]
