"""Preflight as a whole: side by side, deadlines, skipping, what is told and how; and every row has its papers."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from sohistio.checks.preflight.check import Check, Good, NotAsked, Verdict
from sohistio.checks.preflight.context import Context, UnseenError
from sohistio.checks.preflight.registry import CHECKS, check_names
from sohistio.checks.preflight.report import Report
from sohistio.checks.preflight.runner import look
from sohistio.checks.result import CheckResult, Result
from sohistio.errors import ExitCode, FailedError, UsageError
from sohistio.model.fault import NEVER_SKIPPED, Fault, Severity
from sohistio.modes.skew import RULES
from sohistio.output.junit import junit
from sohistio.planning.session import Session, Where
from sohistio.system.once import Once

DOCS = Path(__file__).parents[3] / "docs" / "preflight.md"
SCENE = Context(Session(Where("qa"), lambda _: None), None, None)
ERROR, WARNING = Severity.ERROR, Severity.WARNING


def row(name: str, *verdicts: Verdict, severity: Severity = ERROR, first: Callable[[], object] = lambda: None) -> Check:
    """A check that does `first` and then yields these."""

    def yields(_: Context) -> Iterator[Verdict]:
        first()
        yield from verdicts

    return Check(name, severity, f"{name} holds", f"mend {name}", yields)


def say(results: tuple[CheckResult, ...]) -> list[tuple[str, str, str, str]]:
    return [(item.name, item.severity.value, item.result.value, item.message) for item in results]


def test_results_come_in_the_order_of_the_rows() -> None:
    slow = row("slow", Good("at last"), first=lambda: time.sleep(0.3))
    rows = [slow, row("fast", Fault("not so", severity=WARNING), Good("but this")), row("none")]
    results = look(rows, SCENE)
    assert say(results) == [
        ("slow", "error", "passed", "at last"),
        ("fast", "warning", "failed", "not so"),
        ("fast", "error", "passed", "but this"),
        ("none", "error", "skipped", "nothing to look at"),
    ]
    assert results[1].hint == "mend fast"


def test_they_run_side_by_side() -> None:
    """Each waits for all the others: one after the other they would wait for ever."""
    together = threading.Barrier(4, timeout=5)
    results = look([row(str(n), Good("met"), first=together.wait) for n in range(4)], SCENE)
    assert {item.message for item in results} == {"met"}


def test_one_that_does_not_answer_in_time_has_failed() -> None:
    release = threading.Event()
    begun = time.monotonic()
    results = look([row("hangs", first=release.wait), row("well", Good("fine"))], SCENE, seconds=0.3)
    release.set()
    assert time.monotonic() - begun < 2
    assert say(results) == [
        ("hangs", "warning", "failed", "no answer within 0.3 s"),
        ("well", "error", "passed", "fine"),
    ]


def raising(error: Exception) -> Callable[[], object]:
    def raises() -> object:
        raise error

    return raises


def test_what_goes_wrong_in_a_check_is_its_own_failure() -> None:
    broken = FailedError("the API server forbids a request", details=("nodes is forbidden", "b", "c"), todo="Ask.")
    rows = [
        row("refused", first=raising(broken)),
        row("needs", first=raising(UnseenError("there is no plan"))),
        row("bug", first=raising(KeyError("items"))),
        row("well", Good("fine")),
    ]
    refused, needs, bug, well = look(rows, SCENE)
    assert (refused.message, refused.hint) == ("the API server forbids a request: nodes is forbidden: b", "Ask.")
    assert (needs.result, needs.message) == (Result.SKIPPED, "not looked at: there is no plan")
    assert "sohistio has a bug here: KeyError" in bug.message
    assert well.result is Result.PASSED


def test_skipped_by_name() -> None:
    (skipped,) = look([row("capacity", Fault("no"))], SCENE, frozenset({"capacity"}))
    assert say((skipped,)) == [("capacity", "error", "skipped", "skipped by --skip-check")]


def test_what_may_be_skipped() -> None:
    assert check_names(["capacity", "proxy-skew"]) == {"capacity", "proxy-skew"}
    rules = set(RULES) - NEVER_SKIPPED
    assert check_names(rules) == rules, "the version policy's names, too"
    assert {check.name for check in CHECKS} > NEVER_SKIPPED | set(RULES)
    for name, words in (("capasity", "is no check"), ("one-minor-at-a-time", "cannot be skipped")):
        with pytest.raises(UsageError, match=words) as caught:
            check_names([name])
        assert f"'{name}'" in caught.value.what
        assert name == "capasity" or all(row.name in caught.value.todo for row in CHECKS if not row.mandatory)
    with pytest.raises(UsageError) as caught:
        check_names(["capasity"])
    assert caught.value.todo == "Did you mean capacity? `sohistio check --list` lists them."


def test_something_shared_is_read_once_and_so_is_its_error() -> None:
    calls: list[int] = []

    def read() -> int:
        calls.append(1)
        time.sleep(0.05)
        raise FailedError("forbidden")

    once = Once(read)
    results = look([row(str(n), first=once) for n in range(3)], SCENE)
    assert {item.message for item in results} == {"forbidden"}
    assert calls == [1]


REPORT = Report(
    "qa",
    (
        CheckResult("environment", ERROR, Result.PASSED, "qa"),
        CheckResult("capacity", ERROR, Result.FAILED, "istiod: room for 1 of 3 pods <&> \x1b[0m", "Add nodes."),
        CheckResult("capacity", ERROR, Result.PASSED, "the rest fits"),
        CheckResult("node-pools", WARNING, Result.FAILED, "2 × Standard_B2s", "Change it."),
        CheckResult("pull-secret", ERROR, Result.SKIPPED, "skipped by --skip-check"),
    ),
)


def test_a_report() -> None:
    assert REPORT.exit_code is ExitCode.REFUSED
    assert REPORT.summary() == "qa: 1 failed, 1 warning, 1 passed, 1 skipped"
    assert Report("qa", REPORT.checks[3:]).exit_code is ExitCode.OK, "a warning stops nothing"


def test_its_json() -> None:
    document = json.loads(json.dumps(REPORT.document()))
    assert {key: document[key] for key in document if key != "checks"} == {
        "schemaVersion": "1",
        "kind": "Preflight",
        "environment": "qa",
        "result": "failed",
    }
    assert document["checks"][3] == {
        "name": "node-pools",
        "severity": "warning",
        "result": "failed",
        "message": "2 × Standard_B2s",
        "hint": "Change it.",
        "docs": "docs/preflight.md#node-pools",
    }
    assert [check["result"] for check in document["checks"]] == ["passed", "failed", "passed", "failed", "skipped"]


def test_its_junit_xml() -> None:
    text = junit("sohistio.preflight.qa", REPORT.checks)
    assert text.isascii()
    (suite,) = ElementTree.fromstring(text)  # noqa: S314 — it is our own
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("4", "1", "1")
    cases = {case.get("name"): case for case in suite}
    assert list(cases) == ["environment", "capacity", "node-pools", "pull-secret"]
    assert {case.get("classname") for case in suite} == {"sohistio.preflight.qa"}
    failure = cases["capacity"].find("failure")
    assert failure is not None
    assert failure.get("message") == "istiod: room for 1 of 3 pods <&> \\x1b[0m"
    assert "→ Add nodes." in (failure.text or "")
    assert "warning: 2 × Standard_B2s" in (cases["node-pools"].findtext("system-out") or "")
    assert cases["node-pools"].find("failure") is None
    assert cases["pull-secret"].find("skipped") is not None


def test_the_error_that_stops_a_run() -> None:
    error = REPORT.refusal(CHECKS)
    assert error.exit_code is ExitCode.REFUSED
    assert error.what == "1 preflight check does not hold"
    assert error.details[0].startswith("capacity: istiod: room for 1 of 3 pods")
    assert "--skip-check capacity" in error.todo
    assert "run `sohistio check` again" in error.todo
    assert "run the same command again" in REPORT.refusal(()).todo


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_every_row_has_its_papers(check: Check) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", check.name)
    assert check.about[0].islower() or check.about[0] == "`"
    assert check.hint.endswith((".", "`."))
    section = DOCS.read_text(encoding="utf-8").partition(f"\n### {check.name}\n")[2].partition("\n### ")[0]
    assert len(section.strip()) > 60, f"docs/preflight.md has no section for {check.name}"
    assert ("Cannot be skipped" in section) is check.mandatory
    assert check.docs == f"docs/preflight.md#{check.name}"


def test_names_are_unique_and_documented_ones_exist() -> None:
    names = [check.name for check in CHECKS]
    assert len(set(names)) == len(names)
    sections = re.findall(r"^### (.+)$", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    assert sections == names, "in the same order"


def test_not_asked_says_why() -> None:
    (result,) = look([row("pull-secret", NotAsked("the environment has no istio.pullSecret"))], SCENE)
    assert (result.result, result.message) == (Result.SKIPPED, "the environment has no istio.pullSecret")
