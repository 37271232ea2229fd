"""Which namespaces are labelled, unlabelled, left alone or refused, and where pull Secrets are written: tables."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from observed import pod, sidecar, state, workload
from plans import FRESH, UPGRADE
from sohistio.errors import FailedError
from sohistio.model.desired import DesiredMesh
from sohistio.model.mode import Mode
from sohistio.model.pull_secrets import ObservedPullSecret, PullSecretState
from sohistio.model.state import ClusterState, ObjectRef, ObservedNamespace
from sohistio.model.versions import Version
from sohistio.modes.decide import Decision
from sohistio.modes.namespaces import (
    NamespaceLabels,
    labels_of,
    labels_phase,
    notices_of,
    pull_secret_refs,
    secrets_phase,
)
from sohistio.modes.planner import Beside, NamespacePhases, Subject, make_plan
from sohistio.plan.changes import Changes
from sohistio.plan.diff import does_no_more
from sohistio.plan.namespace_steps import LabelNamespaces, UnlabelNamespaces, WritePullSecrets
from sohistio.plan.plan import Phase
from sohistio.plan.risk import Risk
from sohistio.plan.steps import InstallIstio, RestartWorkloads
from sohistio.postinstall import restarts
from sohistio.run.go_back import calls_for_rollback
from sohistio.run.progress import RunResult, StepResult, StepState


def seen(name: str = "shop", **changes: Any) -> ObservedNamespace:
    """A namespace without labels; keyword arguments replace fields, and `injected` follows from the labels."""
    item = replace(ObservedNamespace(name, injected=False), **changes)
    on = item.revision == "default" if item.injection is None else item.injection == "enabled"
    return replace(item, injected=on)


def labels(*namespaces: ObservedNamespace, listed: tuple[str, ...] = ("shop",)) -> NamespaceLabels:
    return labels_of(state(namespaces=namespaces), listed)


@pytest.mark.parametrize(
    ("namespace", "field"),
    [
        (seen(), "to_label"),
        (seen(injection="enabled"), ""),
        (seen(injection="enabled", labelled_by_sohistio=True), ""),
        (seen(injection="enabled", revision="canary"), ""),
        (seen(revision="default"), ""),
        (seen(ending=True), "ending"),
        (seen(injection="enabled", labelled_by_sohistio=True, ending=True), "ending"),
        (seen(injection="disabled"), "contrary"),
        (seen(injection="disabled", revision="default"), "contrary"),
        (seen(injection=""), "contrary"),
        (seen(revision="canary"), "contrary"),
    ],
)
def test_a_listed_namespace(namespace: ObservedNamespace, field: str) -> None:
    found = labels(namespace)
    filled = {name for name in ("to_label", "to_unlabel", "missing", "ending", "contrary") if getattr(found, name)}
    assert filled == ({field} if field else set())


@pytest.mark.parametrize(
    ("namespace", "unlabelled"),
    [
        (seen(injection="enabled", labelled_by_sohistio=True), True),
        (seen(injection="enabled", labelled_by_sohistio=False, set_by="kubectl-label"), False),
        (seen(injection="enabled", labelled_by_sohistio=True, ending=True), False),
        (seen(injection="disabled", labelled_by_sohistio=True), False),
        (seen(revision="default"), False),
        (seen(), False),
    ],
)
def test_a_namespace_that_is_not_listed_any_more(namespace: ObservedNamespace, unlabelled: bool) -> None:
    found = labels(namespace, listed=())
    assert found == NamespaceLabels(to_unlabel=("shop",) if unlabelled else ())


def test_a_label_set_on_purpose_is_named_with_who_set_it_and_what_to_do() -> None:
    found = labels(
        seen("shop", injection="disabled", set_by="kubectl-label"),
        seen("media", revision="canary"),
        listed=("shop", "media"),
    )
    assert found.refusal == (
        "namespace media is to be injected, but carries istio.io/rev=canary; "
        "namespace shop is to be injected, but carries istio-injection=disabled, set by kubectl-label"
    )
    assert "kubectl label namespace NAME istio.io/rev|istio-injection-" in found.todo
    assert labels(seen()).refusal == ""


def test_workloads_of_a_namespace_to_label_are_restarted_and_those_of_one_to_unlabel_are_not() -> None:
    bare = (pod("", labels={"app": "web"}),) * 2

    def of(place: str) -> Any:
        return workload("web", pods=bare, ref=ObjectRef("Deployment", place, "web"))

    before = state(
        namespaces=(
            seen("shop"),
            seen("media", injection="enabled"),
            seen("old", injection="enabled", labelled_by_sohistio=True),
            seen("strange", injection="disabled"),
        ),
        workloads=(
            *(of(place) for place in ("media", "old", "plain", "shop", "strange")),
            replace(of("old"), ref=ObjectRef("Deployment", "old", "opted-in"), opted_in=True),
        ),
        unowned_pods=(ObjectRef("Pod", "old", "lone"), ObjectRef("Pod", "shop", "lone")),
    )
    found = labels_of(before, ("shop", "media", "strange"))
    after: ClusterState = found.once_done(before)
    assert [item.ref.namespace for item in restarts(after, sidecar())[0]] == ["media", "plain", "shop", "old"]
    assert after.unowned_pods == (ObjectRef("Pod", "shop", "lone"),)
    assert found.injected(before) == ("media", "shop")


def secret(place: str, how: PullSecretState) -> ObservedPullSecret:
    return ObservedPullSecret(ObjectRef("Secret", place, "jfrogauth"), how)


MISSING, OLD, CURRENT, FOREIGN = PullSecretState


@pytest.mark.parametrize(
    ("states", "summary"),
    [
        ((MISSING, MISSING, CURRENT), "create pull Secret jfrogauth in a, b"),
        ((OLD, CURRENT, FOREIGN), "update pull Secret jfrogauth in a"),
        ((OLD, MISSING, FOREIGN), "create or update pull Secret jfrogauth in a, b"),
        ((CURRENT, FOREIGN, CURRENT), ""),
    ],
)
def test_pull_secrets_that_are_missing_or_old_are_written(states: tuple[PullSecretState, ...], summary: str) -> None:
    secrets = [secret(place, how) for place, how in zip("abc", states, strict=True)]
    phases = secrets_phase(secrets)
    steps = [step for phase in phases for step in phase.steps]
    assert [step.summary for step in steps] == ([summary] if summary else [])
    for step in steps:
        assert isinstance(step, WritePullSecrets)
        assert [ref.namespace for ref in step.objects] == [
            item.ref.namespace for item in secrets if item.state in (MISSING, OLD)
        ]


def test_labels_and_unlabels() -> None:
    (phase,) = labels_phase(NamespaceLabels(to_label=("shop",), to_unlabel=("old",)))
    assert [type(step) for step in phase.steps] == [LabelNamespaces, UnlabelNamespaces]
    assert [step.risk for step in phase.steps] == [Risk.CHANGE, Risk.DISRUPT]
    assert labels_phase(NamespaceLabels(missing=("x",), ending=("y",))) == ()


@pytest.mark.parametrize(
    ("decision", "versions", "expected"),
    [
        (Decision(Mode.NONE, ()), ("1.31.1",), ["pull-secrets", "namespaces", "verify"]),
        (
            Decision(Mode.INSTALL, ()),
            ("1.31.1",),
            ["pull-secrets", "control-plane", "namespaces", "verify"],
        ),
        (
            Decision(Mode.UPGRADE, (), Version(1, 29, 8)),
            ("1.30.5", "1.31.1"),
            [
                *("pull-secrets", "backup", "1.30.5/control-plane", "namespaces", "1.30.5/verify"),
                *("control-plane", "verify"),
            ],
        ),
    ],
    ids=["in-sync", "install", "chain"],
)
def test_secrets_before_the_mesh_and_labels_once_istiod_runs(
    decision: Decision, versions: tuple[str, ...], expected: list[str]
) -> None:
    around = NamespacePhases(
        secrets_phase([secret("shop", MISSING)]), labels_phase(NamespaceLabels(to_label=("shop",)))
    )
    meshes = [DesiredMesh(Version.parse(text), "kind: IstioOperator\n", (), (), sidecar()) for text in versions]
    plan = make_plan(Subject("qa", versions[-1], state()), decision, meshes, Changes(), (), Beside(around))
    assert [phase.name for phase in plan.phases] == expected


def test_long_lists_of_names_are_cut_in_the_summary_and_whole_in_the_step() -> None:
    names = tuple(f"n{number}" for number in range(9))
    (phase,) = labels_phase(NamespaceLabels(to_label=names))
    (step,) = phase.steps
    assert step.summary == "label n0, n1, n2, n3, n4 and 4 more istio-injection=enabled"
    assert isinstance(step, LabelNamespaces)
    assert len(step.objects) == 9


def test_notices_say_what_is_left_alone() -> None:
    found = NamespaceLabels(to_unlabel=("old",), missing=("new",), ending=("late",))
    said = "\n".join(notices_of(found, [secret("shop", FOREIGN), secret("media", CURRENT)]))
    assert "namespace new does not exist and is not created: once it exists, install labels it" in said
    assert "namespace late is being deleted and is left alone" in said
    assert "kubectl -n old rollout restart" in said
    assert "Secret shop/jfrogauth is somebody else's" in said
    assert "media" not in said


def test_pull_secrets_are_needed_in_the_meshs_namespace_and_in_injected_ones() -> None:
    refs = pull_secret_refs("jfrogauth", ("media", "shop"))
    assert [(ref.namespace, ref.name) for ref in refs] == [
        ("istio-system", "jfrogauth"),
        ("media", "jfrogauth"),
        ("shop", "jfrogauth"),
    ]


UNLABEL = Phase("namespaces", labels_phase(NamespaceLabels(to_unlabel=("a", "b")))[0].steps)


def test_taking_injection_away_needs_approval_beside_any_other_danger() -> None:
    plan = replace(FRESH, phases=(UNLABEL, *FRESH.phases))
    assert plan.danger == "takes sidecar injection away from namespaces a, b"
    upgrade = replace(UPGRADE, phases=(UNLABEL, *UPGRADE.phases))
    assert upgrade.danger
    assert UPGRADE.danger == ""


def test_fewer_namespaces_than_approved_is_no_more_and_another_one_is() -> None:
    def plan(*names: str) -> Any:
        return replace(FRESH, phases=(*labels_phase(NamespaceLabels(to_unlabel=names)), *FRESH.phases))

    assert does_no_more(plan("a"), plan("a", "b"))
    assert does_no_more(FRESH, plan("a"))
    assert not does_no_more(plan("a", "b"), plan("a"))
    assert not does_no_more(plan("a"), FRESH)


def test_a_failure_at_the_namespaces_is_no_fault_of_the_version() -> None:
    (step,) = labels_phase(NamespaceLabels(to_label=("a",)))[0].steps
    results = (StepResult(step, StepState.FAILED, 0.1),)
    assert not calls_for_rollback(RunResult(UPGRADE, results, (), FailedError("forbidden"), 0.1))


def test_a_workload_that_does_not_come_up_is_no_fault_of_a_mesh_that_was_not_touched() -> None:
    restart = RestartWorkloads("sidecars/restart", "restart", (ObjectRef("Deployment", "shop", "web"),))
    failed = (StepResult(restart, StepState.FAILED, 0.1),)
    assert not calls_for_rollback(RunResult(UPGRADE, failed, (), FailedError("not ready"), 0.1))
    install = next(step for step in UPGRADE.steps if isinstance(step, InstallIstio))
    both = (StepResult(install, StepState.DONE, 1.0), *failed)
    assert calls_for_rollback(RunResult(UPGRADE, both, (), FailedError("not ready"), 0.1))


def test_a_plans_json_names_the_objects() -> None:
    document = replace(FRESH, phases=(UNLABEL,)).document()
    (step,) = document["phases"][0]["steps"]
    assert [ref["name"] for ref in step["objects"]] == ["a", "b"]
