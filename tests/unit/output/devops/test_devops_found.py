"""What `status` and `sync` tell Azure DevOps."""

from __future__ import annotations

from sohistio.errors import ExitCode
from sohistio.fleet.row import EnvironmentStatus
from sohistio.output.devops.facts import Facts
from sohistio.output.devops.found import add_differences, add_environments
from sohistio.plan.changes import Changes
from sohistio.sync.differences import Difference, Subject
from sohistio.sync.report import Comparison, Lag

DIFFERENCES = (
    Difference(Subject.CONFLICT, "Gateway shop/web", "Gateway shop/web was edited by ann", "Ask her."),
    Difference(Subject.TRUST_ROOT, "root", "the trust roots differ", "Plug one in."),
    Difference(Subject.EXCLUSION, "Sidecar", "Sidecar is excluded", "Nothing to do.", counts=False),
)


def comparison(*differences: Difference) -> Comparison:
    return Comparison("prod", "dr", ("https://prod", "https://dr"), Changes(), differences, (), ("a", "b"), 3, Lag(0))


def test_differences() -> None:
    facts = Facts("sync", "dr", only_looks=True)
    add_differences(facts, comparison(*DIFFERENCES))
    assert [(issue.type.value, issue.code, issue.message) for issue in facts.issues()] == [
        ("error", "difference-conflict", "dr: Gateway shop/web was edited by ann. Ask her."),
        ("warning", "difference-trust-root", "dr: the trust roots differ. Plug one in."),
    ]
    assert facts.variables(ExitCode.CHANGES_PENDING)["differences"] == "2"
    (section,) = facts.sections
    assert [row[0] for row in section.rows] == ["conflict", "trustRoot", "exclusion"]


def test_equal_sides() -> None:
    facts = Facts("sync", "dr", only_looks=True)
    add_differences(facts, comparison())
    assert (facts.sections, list(facts.issues()), facts.more) == ([], [], {"differences": "0"})


def test_environments() -> None:
    facts = Facts("status", only_looks=True)
    in_sync = EnvironmentStatus("qa", "aks-qa", "https://qa", "1.31.1", "1.31.1")
    behind = EnvironmentStatus("int", "aks-int", "https://int", "1.30.5", "1.31.1", pending="upgrade to 1.31.1")
    lost = EnvironmentStatus("prod", problem="it cannot be reached", hint="Check the VPN.")
    add_environments(facts, [in_sync, behind, lost])
    assert [(issue.code, issue.message) for issue in facts.issues()] == [
        ("environment-not-read", "prod: it cannot be reached → Check the VPN.")
    ]
    assert facts.more == {"environments": "3", "inSync": "1", "outOfSync": "1", "notRead": "1"}
    (section,) = facts.sections
    assert [(row[4], row[6]) for row in section.rows] == [
        ("yes", "-"),
        ("no", "upgrade to 1.31.1"),
        ("not known", "it cannot be reached. Check the VPN."),
    ]
