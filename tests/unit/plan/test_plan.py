"""The JSON of plans and results is a promise: exactly these keys; and a digest that follows the content."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import Any, get_args

import pytest

from plans import BAD, DB, FRESH, GOOD, HPA, LEGACY, NOTHING, REFUSED, REPLACEMENT, STANDBY, UPGRADE, WARNED, WEB
from sohistio.checks.result import CheckResult
from sohistio.errors import ExitCode, FailedError, InterruptedRunError, SohistioError
from sohistio.model.failover_mark import Stage
from sohistio.model.mode import Mode
from sohistio.model.restart_reason import RestartReason
from sohistio.model.revision import DEFAULT_REVISION, Revision
from sohistio.model.state import ObjectRef
from sohistio.model.versions import Version
from sohistio.model.webhooks import MUTATING
from sohistio.plan.documents import step_document
from sohistio.plan.plan import Phase, Plan
from sohistio.plan.steps import HoldStandby, InstallIstio, LeftAlone, RemoveObjects, Step
from sohistio.plan.tally import tally_of
from sohistio.plan.webhook_steps import Cure, WebhookRepair
from sohistio.run.progress import RunResult, StepResult, StepState

PLAN_KEYS = {
    *("schemaVersion", "kind", "environment", "cluster", "mode", "installedVersion", "targetVersion"),
    *("reasons", "refusal", "danger", "notices", "phases", "heldBack", "changes"),
}
STEP_KEYS = {"id", "type", "summary", "risk"}
REF_KEYS = {"kind", "namespace", "name"}
ALL = (FRESH, UPGRADE, NOTHING, REFUSED, STANDBY, REPLACEMENT)


def steps(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {step["id"]: step for phase in document["phases"] for step in phase["steps"]}


def test_what_may_inject_is_never_deleted_without_a_word() -> None:
    step = RemoveObjects("obsolete/remove", "", (ObjectRef(MUTATING, "", "istio-sidecar-injector-old"),))
    plan = replace(FRESH, phases=(*FRESH.phases, Phase("obsolete", (step,))))
    assert "deletes istio-sidecar-injector-old, which may be what injects sidecars" in plan.danger


@pytest.mark.parametrize("plan", ALL, ids=lambda plan: f"{plan.environment}-{plan.mode}")
def test_a_plans_document(plan: Plan) -> None:
    document = plan.document()
    assert json.loads(json.dumps(document)) == document
    assert document.keys() == PLAN_KEYS
    assert (document["schemaVersion"], document["kind"]) == ("1", "Plan")
    assert document["mode"] in {"unknown", "install", "upgrade", "reinstall", "none"}
    for phase in document["phases"]:
        assert phase.keys() == {"name", "steps"}
        for step in phase["steps"]:
            assert step.keys() >= STEP_KEYS
            assert step["risk"] in {"read", "change", "disrupt", "destroy"}
    ids = [step.id for step in plan.steps]
    assert len(set(ids)) == len(ids)


def test_what_is_empty_is_null() -> None:
    document = REFUSED.document()
    assert (document["installedVersion"], document["phases"]) == (None, [])
    assert document["refusal"] == "the cluster could not be read"
    assert FRESH.document()["refusal"] is None


def test_the_steps_of_a_document() -> None:
    upgrade = steps(UPGRADE.document())
    own = {"version", "operatorDigest", "watched", "turns", "opens"}
    assert upgrade["control-plane/install"].keys() == STEP_KEYS | own
    restart = upgrade["sidecars/restart"]
    assert restart.keys() == STEP_KEYS | {"workloads", "leftAlone", "withoutSidecar", "reasons"}
    assert restart["workloads"] == [{"kind": r.kind, "namespace": r.namespace, "name": r.name} for r in (DB, WEB)]
    assert [item.keys() for item in restart["leftAlone"]] == [REF_KEYS | {"reason", "todo"}]
    assert restart["leftAlone"][0]["name"] == LEGACY.name
    replacement = steps(REPLACEMENT.document())
    assert replacement["obsolete/remove"]["objects"] == [
        {"kind": HPA.kind, "namespace": HPA.namespace, "name": "istiod"}
    ]
    assert replacement["old-control-plane/uninstall"]["risk"] == "disrupt"


def test_the_changes_of_a_document() -> None:
    changes = UPGRADE.document()["changes"]
    assert changes.keys() == {"created", "changed", "removed", "components", "objects"}
    assert (changes["created"], changes["changed"], changes["removed"]) == (0, 1, 1)
    assert [item.keys() for item in changes["objects"]] == [REF_KEYS | {"component", "action", "fields"}] * 2
    assert changes["objects"][0]["fields"] == [
        {"path": "spec.maxReplicas", "before": 20, "after": 10, "manager": "kubectl-edit"}
    ]


def test_the_digest_follows_the_content() -> None:
    digests = {plan.digest() for plan in ALL}
    assert len(digests) == len(ALL)
    assert all(len(digest) == 64 for digest in digests)
    assert replace(UPGRADE).digest() == UPGRADE.digest()
    for changed in (
        replace(UPGRADE, target_version="1.31.2"),
        replace(UPGRADE, phases=UPGRADE.phases[:-1]),
        replace(UPGRADE, changes=FRESH.changes),
        replace(UPGRADE, cluster="https://elsewhere"),
    ):
        assert changed.digest() != UPGRADE.digest()


INJECTOR = ObjectRef("MutatingWebhookConfiguration", "", "istio-sidecar-injector")
SAMPLES: dict[str, tuple[Any, Any]] = {
    "str": ("a", "b"),
    "Version": (Version(1, 30, 5), Version(1, 31, 1)),
    "Revision": (DEFAULT_REVISION, Revision("canary")),
    "Version | None": (None, Version(1, 31, 1)),
    "bool": (False, True),
    "int": (1, 2),
    "Stage": (Stage.MOVING, Stage.ACTIVE),
    "ObjectRef": (DB, WEB),
    "tuple[str, ...]": ((), ("a",)),
    "tuple[ObjectRef, ...]": ((DB,), (DB, WEB)),
    "tuple[tuple[ObjectRef, int], ...]": (((DB, 3),), ((DB, 4),)),
    "tuple[tuple[ObjectRef, str], ...]": (((DB, "10.0.0.1"),), ((DB, "10.0.0.2"),)),
    "tuple[WebhookRepair, ...]": (
        (WebhookRepair(INJECTOR, Cure.IGNORE_FAILURES, "a"),),
        (WebhookRepair(INJECTOR, Cure.POINT_TO_ISTIOD, "a", "istiod"),),
    ),
    "tuple[RestartReason, ...]": ((), (RestartReason("limits.cpu 1 → 2", (DB,)),)),
    "tuple[LeftAlone, ...]": ((LeftAlone(DB, "a"),), (LeftAlone(DB, "a", "b"),)),
}


@pytest.mark.parametrize("kind", get_args(Step), ids=lambda kind: kind.__name__)
def test_the_digest_covers_every_field_of_every_step(kind: type[Any]) -> None:
    values = {item.name: SAMPLES[str(item.type)] for item in fields(kind)}
    step = kind(**{name: first for name, (first, _) in values.items()})
    others = [replace(step, **{name: other}) for name, (_, other) in values.items()]
    digests = {replace(FRESH, phases=(Phase("a", (made,)),)).digest() for made in (step, *others)}
    assert len(digests) == len(values) + 1
    document = step_document(step)
    assert json.loads(json.dumps(document)) == document


def test_long_texts_are_no_part_of_a_plans_document() -> None:
    first = FRESH.phases[0].steps[0]
    assert isinstance(first, InstallIstio)
    assert first.operator not in json.dumps(FRESH.document())


@pytest.mark.parametrize(
    ("plan", "pending", "danger"),
    [
        (FRESH, True, ""),
        (UPGRADE, True, ""),
        (NOTHING, False, ""),
        (replace(NOTHING, phases=FRESH.phases[1:]), False, ""),
        (REPLACEMENT, True, "uninstalls the old mesh first"),
    ],
)
def test_what_is_pending_and_what_needs_approval(plan: Plan, pending: bool, danger: str) -> None:
    assert (plan.changes_pending, plan.danger) == (pending, danger)


def test_deleting_crds_needs_the_name_typed() -> None:
    crd = ObjectRef("CustomResourceDefinition", "", "virtualservices.networking.istio.io")
    purge = replace(FRESH, phases=(Phase("purge", (RemoveObjects("purge/crds", "delete CRDs", (crd,)),)),))
    assert purge.purges
    assert purge.danger
    assert not REPLACEMENT.purges


# --- results


def result(error: SohistioError | None = None, *checks: CheckResult, plan: Plan = FRESH) -> RunResult:
    done = StepState.FAILED if error else StepState.DONE
    return RunResult(plan, tuple(StepResult(step, done, 1.26) for step in plan.steps), checks, error, 12.34)


@pytest.mark.parametrize(
    ("run", "outcome", "code"),
    [
        pytest.param(result(None, GOOD, WARNED), "done", ExitCode.OK, id="done"),
        pytest.param(result(plan=NOTHING), "upToDate", ExitCode.OK, id="nothing-to-do"),
        pytest.param(result(None, GOOD, BAD), "verificationFailed", ExitCode.VERIFICATION_FAILED, id="verification"),
        pytest.param(result(FailedError("broke")), "failed", ExitCode.FAILED, id="failed"),
        pytest.param(result(InterruptedRunError("stop")), "interrupted", ExitCode.INTERRUPTED, id="interrupted"),
    ],
)
def test_how_a_run_ended(run: RunResult, outcome: str, code: ExitCode) -> None:
    assert (run.outcome, run.exit_code) == (outcome, code)
    assert (run.document()["outcome"], run.document()["exitCode"]) == (outcome, int(code))


def test_a_results_tally_has_the_restarts_that_there_were() -> None:
    planned = tally_of(UPGRADE).restarts
    assert planned > 0
    done = replace(result(plan=UPGRADE), restarted=planned - 1)
    assert (done.tally.restarts, done.document()["tally"]) == (planned - 1, done.tally.document())


def test_a_results_document() -> None:
    document: dict[str, Any] = result(
        FailedError("broke", details=("why",), todo="fix it", docs="docs/x.md"), GOOD, BAD
    ).document()
    assert json.loads(json.dumps(document)) == document
    assert document.keys() >= {
        *("schemaVersion", "kind", "outcome", "exitCode", "seconds", "error", "steps", "checks", "plan"),
    }
    assert (document["schemaVersion"], document["kind"], document["seconds"]) == ("1", "RunResult", 12.3)
    assert document["error"] == {
        "what": "broke",
        "details": ["why"],
        "todo": "fix it",
        "docs": "docs/x.md",
        "exitCode": 1,
    }
    assert document["steps"][0] == {"id": "control-plane/install", "state": "failed", "seconds": 1.3}
    assert document["checks"][1] == {
        "name": "pods-ready",
        "severity": "error",
        "result": "failed",
        "message": "istiod 2/3 ready",
        "hint": "describe it",
    }
    assert document["plan"] == FRESH.document()
    assert result().document()["error"] is None


def test_modes_are_lower_case_words() -> None:
    assert all(mode.value.isalpha() and mode.value.islower() for mode in Mode)


def test_gateways_that_serve_and_are_switched_off_are_a_danger_of_the_document() -> None:
    """A pipeline reads in `danger` what the plan's first line says; who stops serving is part of what is approved."""
    (step,) = (step for step in STANDBY.steps if isinstance(step, HoldStandby))
    phases = (Phase("standby", (replace(step, serving=("istio-ingressgateway",)),)),)
    serving, quiet = replace(STANDBY, phases=phases), replace(STANDBY, phases=(Phase("standby", (step,)),))
    words = "switches off gateways that serve (istio-ingressgateway: has the standby taken over?)"
    document = serving.document()
    assert document["danger"] == words
    assert document["phases"][0]["steps"][0]["serving"] == ["istio-ingressgateway"]
    assert (quiet.document()["danger"], quiet.document()["phases"][0]["steps"][0]["serving"]) == (None, [])
    assert serving.digest() != quiet.digest()
    moved = replace(serving, phases=(*phases, *REPLACEMENT.phases))
    assert moved.document()["danger"] == f"uninstalls the old mesh first and {words}"
