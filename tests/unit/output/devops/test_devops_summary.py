"""The page of a build's summary, letter by letter: `golden/` has it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from agent_reading import read
from plans import BAD, GOOD, NOTHING, REFUSED, REPLACEMENT, UPGRADE, WARNED
from runs import run
from sohistio.checks.result import failed
from sohistio.errors import ExitCode, FailedError, RefusedError, UsageError
from sohistio.model.held_back import HeldBack, Why
from sohistio.model.state import ObjectRef
from sohistio.output.devops.facts import Facts, Section, Stage, Suite
from sohistio.output.devops.summary import summary
from sohistio.output.markdown import MOST_BYTES
from sohistio.plan.changes import Action, Changes, FieldChange, ObjectChange
from sohistio.plan.plan import Phase
from sohistio.plan.steps import LeftAlone, RestartWorkloads
from sohistio.run.progress import RunResult, StepResult, StepState

GOLDEN = Path(__file__).parent / "golden"
HOSTILE = "\x1b[31m##vso[task.setvariable variable=x]y\r\n| <script> [a](http://b) `c`"


def upgraded() -> Facts:
    facts = Facts("install")
    facts.planned(UPGRADE)
    facts.suites.append(Suite(Stage.PREFLIGHT, "qa", (GOOD, WARNED)))
    steps = tuple(StepResult(step, StepState.DONE, 1.25) for step in UPGRADE.steps)
    entry = run(reason="CHG0012345 monthly [patch](http://x)")
    facts.ended(RunResult(UPGRADE, steps, (GOOD,), None, 12.34, {"istio-ingressgateway": 0.0}, entry, restarted=2))
    return facts


def broken() -> Facts:
    error = FailedError("istiod did not get ready", details=("1 of 3 pods\n0/3 nodes fit",), todo="Add nodes.")
    facts = Facts("install", errors=[error])
    facts.planned(REPLACEMENT)
    states = (StepState.DONE, StepState.FAILED, *[StepState.NOT_STARTED] * len(REPLACEMENT.steps))
    steps = tuple(StepResult(step, state, 30) for step, state in zip(REPLACEMENT.steps, states, strict=False))
    facts.ended(RunResult(REPLACEMENT, steps, (BAD,), error, 60))
    return facts


def planned() -> Facts:
    facts = Facts("plan", "qa", only_looks=True)
    facts.planned(UPGRADE)
    return facts


def idle() -> Facts:
    facts = Facts("install")
    facts.planned(NOTHING)
    return facts


def refused() -> Facts:
    facts = Facts("plan", "qa", only_looks=True, errors=[RefusedError("the cluster could not be read", todo="Log in.")])
    facts.planned(REFUSED)
    return facts


def looked() -> Facts:
    rows = (("qa", "yes"), ("prod", "no | never"))
    return Facts("status", only_looks=True, sections=[Section("Environments", ("environment", "in sync"), rows)])


def verified() -> Facts:
    return Facts("verify", "qa", only_looks=True, suites=[Suite(Stage.VERIFICATION, "qa", (GOOD, WARNED, BAD))])


@pytest.mark.parametrize(
    ("name", "facts", "code"),
    [
        ("upgrade", upgraded(), ExitCode.OK),
        ("failed", broken(), ExitCode.FAILED),
        ("plan", planned(), ExitCode.OK),
        ("up-to-date", idle(), ExitCode.OK),
        ("refused", refused(), ExitCode.REFUSED),
        ("verification", verified(), ExitCode.VERIFICATION_FAILED),
        ("status", looked(), ExitCode.FAILED),
        ("wrong-usage", Facts(errors=[UsageError("no environment is named", todo="Give --env.")]), ExitCode.USAGE),
    ],
)
def test_the_page(name: str, facts: Facts, code: ExitCode) -> None:
    """After a change that is meant, write the file anew: delete it, run the test, read the difference."""
    file, page = GOLDEN / f"{name}.md", summary(facts, code)
    if not file.exists():
        file.write_text(page, encoding="utf-8")
        pytest.fail(f"{file} was written: read it")
    assert page == file.read_text(encoding="utf-8")


def test_what_is_hostile_is_letters_everywhere() -> None:
    ref = ObjectRef("Deployment", "shop", HOSTILE)
    step = RestartWorkloads("sidecars/restart", HOSTILE, (ref,), (LeftAlone(ref, HOSTILE, HOSTILE),))
    plan = replace(
        UPGRADE,
        cluster=HOSTILE,
        installed_version=HOSTILE,
        reasons=(HOSTILE,),
        notices=(HOSTILE,),
        held_back=(HeldBack(ref, Why.ANNOTATION, HOSTILE),),
        phases=(Phase(HOSTILE, (step,)),),
        changes=Changes((ObjectChange(ref, Action.CHANGED, (FieldChange("a", HOSTILE, 1, HOSTILE),), HOSTILE),)),
    )
    facts = Facts("install", errors=[FailedError(HOSTILE, details=(HOSTILE,), todo=HOSTILE)])
    facts.planned(plan)
    facts.suites.append(Suite(Stage.VERIFICATION, "qa", (failed("a", HOSTILE, HOSTILE),)))
    page = summary(facts, ExitCode.FAILED)
    log = read(page)
    assert (log.commands, log.formats) == ([], [])
    assert not any(found in page for found in ("\x1b", "\r", "<script", "[a]", "](", "http://", "`"))
    for section in page.split("\n## ")[1:]:
        rows = [line for line in section.split("\n") if line.startswith("|")]
        assert len({line.count("|") for line in rows}) <= 1, section


def test_a_page_of_a_huge_cluster_fits() -> None:
    refs = tuple(ObjectRef("Deployment", "shop", f"{number:05}-{'x' * 300}") for number in range(5000))
    step = RestartWorkloads("a/b", "restart", refs, tuple(LeftAlone(ref, "<" * 5000) for ref in refs))
    changes = Changes(tuple(ObjectChange(ref, Action.CREATED) for ref in refs))
    facts = Facts("install")
    facts.planned(replace(UPGRADE, phases=(Phase("a", (step,)),), changes=changes))
    facts.suites.append(Suite(Stage.PREFLIGHT, "qa", tuple(failed("a", "|" * 4000, "<" * 4000) for _ in refs)))
    page = summary(facts, ExitCode.REFUSED)
    assert len(page.encode()) <= MOST_BYTES
    assert page.endswith("This page is cut here: the log has the rest.\n")
