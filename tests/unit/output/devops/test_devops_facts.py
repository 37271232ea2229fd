"""What Azure DevOps is told of a command: issues with stable codes, output variables, one word for the outcome."""

from __future__ import annotations

from dataclasses import replace

import pytest

from plans import BAD, FRESH, GOOD, NOTHING, REFUSED, REPLACEMENT, UPGRADE, WARNED
from sohistio.checks.result import failed, warned
from sohistio.errors import (
    ExitCode,
    FailedError,
    InterruptedRunError,
    NotObtainedError,
    RefusedError,
    SohistioError,
    UsageError,
    VerificationError,
)
from sohistio.output.devops.facts import Facts, Issue, IssueType, Stage, Suite, at_most, error_issue, quotable
from sohistio.plan.changes import Changes
from sohistio.plan.plan import Plan
from sohistio.plan.steps import RestartWorkloads
from sohistio.run.progress import RunResult, StepResult, StepState


def ran(plan: Plan, *, done: int | None = None, error: SohistioError | None = None, **fields: object) -> RunResult:
    """A run of which so many steps are done, and the one after them failed; None is all of them."""
    count = len(plan.steps) if done is None else done
    states = [StepState.DONE] * count + [StepState.FAILED] + [StepState.NOT_STARTED] * len(plan.steps)
    steps = tuple(StepResult(step, state, 1.0) for step, state in zip(plan.steps, states, strict=False))
    restarted = sum(len(step.workloads) for step in plan.steps[:count] if isinstance(step, RestartWorkloads))
    return replace(RunResult(plan, steps, (), error, 12.34, restarted=restarted), **fields)  # type: ignore[arg-type]


def told(*, looks: bool = False, plans: tuple[Plan, ...] = (), results: tuple[RunResult, ...] = ()) -> Facts:
    facts = Facts("install", only_looks=looks)
    for plan in plans:
        facts.planned(plan)
    for result in results:
        facts.ended(result)
    return facts


@pytest.mark.parametrize(
    ("facts", "code", "variables"),
    [
        pytest.param(
            told(plans=(UPGRADE,), results=(ran(UPGRADE),)),
            ExitCode.OK,
            {"outcome": "done", "mode": "upgrade", "installedVersion": "1.30.5", "targetVersion": "1.31.1"}
            | {"changed": "true", "changedObjects": "2", "restarts": "2", "exitCode": "0", "environment": "qa"},
            id="an-upgrade",
        ),
        pytest.param(
            told(plans=(UPGRADE,), results=(ran(UPGRADE, done=2, error=FailedError("x")),)),
            ExitCode.FAILED,
            {"outcome": "failed", "changed": "true", "restarts": "0", "exitCode": "1"},
            id="failed-before-the-restarts",
        ),
        pytest.param(
            told(plans=(NOTHING,)),
            ExitCode.OK,
            {"outcome": "upToDate", "mode": "none", "changed": "false", "changedObjects": "0", "restarts": "0"},
            id="nothing-to-do",
        ),
        pytest.param(
            told(plans=(UPGRADE,)),
            ExitCode.REFUSED,
            {"outcome": "refused", "mode": "upgrade", "changed": "false", "changedObjects": "0", "refusal": ""},
            id="a-check-does-not-hold",
        ),
        pytest.param(
            told(looks=True, plans=(UPGRADE,)),
            ExitCode.OK,
            {"outcome": "changesPending", "changed": "true", "changedObjects": "2", "restarts": "2"},
            id="a-plan",
        ),
        pytest.param(
            told(looks=True, plans=(UPGRADE,)),
            ExitCode.CHANGES_PENDING,
            {"outcome": "changesPending", "exitCode": "4"},
            id="a-plan-with-exit-code",
        ),
        pytest.param(
            told(looks=True, plans=(REFUSED,)),
            ExitCode.REFUSED,
            {"outcome": "refused", "mode": "unknown", "refusal": "the cluster could not be read", "changed": "false"},
            id="a-refused-plan",
        ),
        pytest.param(
            told(plans=(FRESH,), results=(ran(FRESH, checks=(GOOD, BAD, WARNED, BAD)),)),
            ExitCode.VERIFICATION_FAILED,
            {"outcome": "verificationFailed", "failures": "1", "warnings": "1"},
            id="checks-count-once",
        ),
        pytest.param(Facts(), ExitCode.USAGE, {"outcome": "wrongUsage", "environment": ""}, id="wrong-usage"),
        pytest.param(Facts(), 64, {"outcome": "failed", "exitCode": "64"}, id="a-tools-own-exit-code"),
        pytest.param(
            Facts(asked="qa"), ExitCode.REFUSED, {"outcome": "refused", "environment": "qa"}, id="refused-before-a-plan"
        ),
        pytest.param(
            Facts(asked="q;a\n$(id)" + "x" * 99),
            ExitCode.USAGE,
            {"environment": "q a id " + "x" * 56},
            id="what-is-named-may-be-anything",
        ),
        pytest.param(Facts(asked="qa", only_looks=True), ExitCode.FAILED, {"environment": ""}, id="several"),
        pytest.param(
            told(plans=(UPGRADE, replace(UPGRADE, reasons=("another",))), results=(ran(UPGRADE), ran(REPLACEMENT))),
            ExitCode.OK,
            {"environment": "qa", "mode": "upgrade", "changedObjects": "2", "restarts": "2"},
            id="two-runs",
        ),
    ],
)
def test_variables(facts: Facts, code: ExitCode, variables: dict[str, str]) -> None:
    found = facts.variables(code)
    assert {name: found[name] for name in variables} == variables


def test_why_a_run_was_refused() -> None:
    facts = told(plans=(UPGRADE,))
    facts.errors.append(RefusedError("1 preflight check does not hold"))
    assert facts.variables(ExitCode.REFUSED)["refusal"] == "1 preflight check does not hold"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a downgrade from 1.31.1 needs --mode reinstall", "a downgrade from 1.31.1 needs --mode reinstall"),
        ("1.31.1$(id)`id`", "1.31.1 id id"),
        ("\"'; rm -rf / & | > <\n%PATH% !x *", "rm -rf / PATH x"),
        ("über → Straße\x1b[0m", "über Straße 0m"),
        ("x" * 400, "x" * 300),
    ],
)
def test_a_value_is_nothing_that_a_script_obeys(text: str, value: str) -> None:
    assert quotable(text) == value
    found = told(looks=True, plans=(replace(REFUSED, installed_version=text, refusal=text),)).variables(
        ExitCode.REFUSED
    )
    assert (found["installedVersion"], found["refusal"]) == (value, value)


def test_checks_alone() -> None:
    facts = Facts("check", "qa", only_looks=True, suites=[Suite(Stage.PREFLIGHT, "qa", (GOOD, WARNED))])
    assert facts.variables(ExitCode.OK) == {
        "outcome": "passed",
        "exitCode": "0",
        "environment": "qa",
        "failures": "0",
        "warnings": "1",
    }


def test_a_plan_that_is_made_again_is_one_run() -> None:
    facts = told(plans=(UPGRADE, FRESH))
    assert [run.plan for run in facts.runs] == [FRESH]
    facts.ended(ran(FRESH))
    facts.planned(UPGRADE)
    assert [run.plan for run in facts.runs] == [FRESH, UPGRADE], "a rollback after a run is another one"


def test_issues() -> None:
    notice = Changes(UPGRADE.changes.objects, "not compared as thoroughly")
    plan = replace(UPGRADE, changes=notice)
    facts = told(
        results=(ran(plan, checks=(WARNED, GOOD, BAD, WARNED), gateway_gaps={"istio-egressgateway": 0, "in": 2.0}),)
    )
    assert [(issue.type.value, issue.code, issue.message) for issue in facts.issues()] == [
        ("error", "pods-ready", "qa: pods-ready: istiod 2/3 ready → describe it"),
        ("warning", "sidecars-current", "qa: sidecars-current: paused [/shop] → restart it"),
        ("warning", "comparison", "qa: not compared as thoroughly"),
        ("warning", "gateway-without-pod", "qa: in: no ready pod for 2.0 s"),
    ]


def test_a_danger_is_worth_a_warning_while_it_can_still_be_refused() -> None:
    (danger,) = told(looks=True, plans=(REPLACEMENT,)).issues()
    assert (danger.code, danger.message) == ("danger", "prod: this plan uninstalls the old mesh first")
    assert list(told(plans=(REPLACEMENT,)).issues()) == [], "it was approved"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (FailedError("x"), "failed"),
        (SohistioError("a bug"), "failed"),
        (UsageError("x"), "wrong-usage"),
        (RefusedError("x"), "refused"),
        (NotObtainedError("x"), "refused"),
        (VerificationError("x"), "verification-failed"),
        (InterruptedRunError("x"), "interrupted"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value,
)
def test_the_code_of_an_error_is_its_exit_codes(error: SohistioError, code: str) -> None:
    assert error_issue(error).code == code


def test_an_error_says_what_and_what_to_do() -> None:
    error = FailedError("it broke", details=("one\n  two", "three", "four"), todo="Mend it.")
    assert error_issue(error).message == "it broke (one; two; three). What to do: Mend it."


def test_more_than_an_agent_keeps() -> None:
    checks = [failed("a", f"number {number}", "") for number in range(11)] + [warned("b", "x", "")]
    facts = Facts("verify", suites=[Suite(Stage.VERIFICATION, "qa", tuple(checks))])
    kept = at_most(list(facts.issues()), 8)
    assert [issue.code for issue in kept] == ["a"] * 8 + ["more", "b"]
    assert kept[8] == Issue(IssueType.ERROR, "more", "and 3 more: the summary has all of them")


def test_a_command_with_nothing_to_tell() -> None:
    assert not Facts("history").has_something
    assert Facts("history", errors=[UsageError("x")]).has_something
    assert Facts("status", only_looks=True).has_something
