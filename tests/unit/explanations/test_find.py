"""What somebody may ask for, on the real documentation; and that everything has an explanation."""

from __future__ import annotations

import ast
import importlib
import re
import shlex
from pathlib import Path

import pytest

import sohistio
from sohistio.checks.preflight.registry import CHECKS
from sohistio.commands.examples import examples_of
from sohistio.commands.explain import explain
from sohistio.errors import ExitCode, UsageError
from sohistio.explanations.find import MOST, find
from sohistio.explanations.shipped import shipped_documents
from sohistio.explanations.topics import Kind, Topic, topics_of

TOPICS = topics_of(shipped_documents())
SOURCE = Path(sohistio.__file__).parent
# Who makes a check's result; the first argument is its name.
MAKERS = {"passed", "failed", "warned", "CheckResult", "_holds", "_result", "in_place", "out_of_place"}


def named(kind: Kind) -> list[str]:
    return [topic.name for topic in TOPICS if topic.kind is kind]


def verification_checks() -> set[str]:
    """The names in the code of checks/, as constants or as names of such."""
    found: set[str] = set()
    for file in (SOURCE / "checks").glob("*.py"):
        module = importlib.import_module(f"sohistio.checks.{file.stem}")
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in MAKERS):
                continue
            first = call.args[0]
            name = first.value if isinstance(first, ast.Constant) else getattr(module, getattr(first, "id", ""), "")
            found |= {str(name)} if name else set()
    return found


def documented_places() -> set[str]:
    """Every section that an error of the code names."""
    texts = [file.read_text(encoding="utf-8") for file in SOURCE.rglob("*.py")]
    return {place for text in texts for place in re.findall(r"docs/[a-z-]+\.md#[a-z0-9-]+", text)}


def test_every_check_before_a_run_is_explained() -> None:
    assert named(Kind.CHECK) == [check.name for check in CHECKS]
    for check in CHECKS:
        assert Kind.CHECK in {topic.kind for topic in find(TOPICS, check.name)}
        assert check.docs in {topic.source for topic in find(TOPICS, check.docs)}


def test_every_check_after_a_run_is_explained() -> None:
    names = verification_checks()
    assert {"istiod-version", "policy-in-place", "monitoring-ready", "pull-secrets", "purged"} <= names
    assert names <= {*named(Kind.VERIFICATION), *named(Kind.PROMOTION)}


def test_every_exit_code_is_explained() -> None:
    assert named(Kind.EXIT_CODE) == [str(int(code)) for code in ExitCode]
    for code in ExitCode:
        (topic,) = find(TOPICS, f"exit code {int(code)}")
        assert topic.blocks


def test_every_alert_is_explained() -> None:
    text = (SOURCE / "monitoring" / "alerts.py").read_text(encoding="utf-8")
    assert set(re.findall(r'"(Istio[A-Za-z]+)"', text)) == set(named(Kind.ALERT))


def test_every_section_that_an_error_names_is_explained() -> None:
    places = documented_places()
    assert len(places) > 4
    for place in places:
        assert [topic.source for topic in find(TOPICS, place)] == [place]


def test_every_page_is_explained_in_short() -> None:
    for file in shipped_documents():
        (page,) = find(TOPICS, file)
        assert (page.kind, page.source) == (Kind.PAGE, file)
        assert find(TOPICS, f"(exit code 3; {file})") == find(TOPICS, file.removeprefix("docs/")) == (page,)


def first(query: str) -> Topic:
    return find(TOPICS, query)[0]


@pytest.mark.parametrize(
    ("query", "kind", "name"),
    [
        ("capacity", Kind.CHECK, "capacity"),
        ("CAPACITY", Kind.CHECK, "capacity"),
        ("istiodDown", Kind.ALERT, "IstiodDown"),
        ("3", Kind.EXIT_CODE, "3"),
        ("exit 130", Kind.EXIT_CODE, "130"),
        ("exit code 5", Kind.EXIT_CODE, "5"),
        ("another run", Kind.ERROR, "another run is active on this cluster"),
        ("lost its lock", Kind.ERROR, "the run lost its lock"),
        ("run lost lock", Kind.ERROR, "the run lost its lock"),
        (
            "Error: the cluster could not be read: https://aks.example.com cannot be reached.",
            Kind.ERROR,
            "the cluster could not be read: … cannot be reached",
        ),
        ("there is no kubeconfig at /home/me/.kube/config", Kind.ERROR, "there is no kubeconfig at …"),
        ("failover.md#it-refuses", Kind.SECTION, "It refuses"),
        ("it-refuses", Kind.SECTION, "It refuses"),
        ("hold-down", Kind.ERROR, "the DNS record was switched 90 s ago: hold-down for another 9m"),
    ],
)
def test_what_is_meant(query: str, kind: Kind, name: str) -> None:
    found = first(query)
    assert (found.kind, found.name) == (kind, name)


@pytest.mark.parametrize(
    ("error", "source"),
    [
        ("no environment is named", "troubleshooting.md#nothing-was-touched-exit-code-2"),
        ("There is no environment named 'uat'", "troubleshooting.md#nothing-was-touched-exit-code-2"),
        (
            "your defaults in /x/config.yaml can be written by others",
            "troubleshooting.md#nothing-was-touched-exit-code-2",
        ),
        (
            "the environments that sohistio comes with are not yours to change",
            "troubleshooting.md#nothing-was-touched-exit-code-2",
        ),
        ("unlock needs --reason", "troubleshooting.md#nothing-was-touched-exit-code-2"),
        ("the environment qa is no standby: it has no standbyOf", "troubleshooting.md#nothing-was-touched-exit-code-2"),
        ("the environment dr does not say how traffic gets there", "failover.md#it-refuses"),
        ("the environment east-2 does not say how traffic gets there", "failover.md#it-refuses"),
        ("2 preflight checks do not hold", "troubleshooting.md#the-decision"),
        ("1 preflight check does not hold", "troubleshooting.md#the-decision"),
        ("the environment is qa, but this cluster is recorded as dr", "aks.md#errors"),
        (
            "this plan closes workloads of a but for what policy.workloads lets in, and nobody approved it",
            "the-decision",
        ),
        (
            "this plan applies AuthorizationPolicy a/access as a dry run that refuses nothing, and nobody approved it",
            "",
        ),
        ("this plan deletes jaeger with the traces in its memory, and nobody approved it", "the-decision"),
        ("prod is promoted from qa; --from dev skips qa", "troubleshooting.md#the-decision"),
        ("registry.example.com gave no answer in 5 attempts", "troubleshooting.md#the-decision"),
        ("registry.example.com gave no answer in 1 attempt", "troubleshooting.md#the-decision"),
        ("traffic needs Envoy, and it is not installed", "troubleshooting.md#the-sandbox"),
        ("istio-ingressgateway not ready within 8 s", "troubleshooting.md#failed-while-at-work-exit-code-1"),
    ],
)
def test_a_whole_error_is_found_as_it_was_printed(error: str, source: str) -> None:
    details = "  the lines below may have words of any other, such as another run is active on this cluster"
    for pasted in (error, f"Error: {error}.", f"Error: {error}.\n{details}\n(exit code 2; docs/machines.md)"):
        (found,) = find(TOPICS, pasted)
        assert found.kind is Kind.ERROR
        assert source in found.source


def test_a_policys_approvals_have_rows_of_their_own() -> None:
    closes = first("this plan closes workloads of a but for what policy.workloads lets in, and nobody approved it")
    applies = first(
        "this plan applies AuthorizationPolicy a/b as a dry run that refuses nothing, and nobody approved it"
    )
    other = first("this plan takes sidecar injection away from namespace shop, and nobody approved it")
    assert closes.name.startswith("this plan closes …")
    assert applies.name.startswith("this plan applies …")
    assert other.name == "this plan …, and nobody approved it"


def test_a_name_of_two_checks_has_both() -> None:
    assert [topic.kind for topic in find(TOPICS, "certificate-authority")] == [Kind.CHECK, Kind.VERIFICATION]


def test_the_page_about_errors_comes_first() -> None:
    assert [topic.file for topic in find(TOPICS, "another run is active on this cluster")] == [
        "docs/troubleshooting.md",
        "docs/failover.md",
    ]


@pytest.mark.parametrize(
    ("query", "near"), [("capasity", "capacity"), ("pod-ready", "pods-ready"), ("IstioDown", "IstiodDown")]
)
def test_an_unknown_name_is_wrong_usage(query: str, near: str) -> None:
    with pytest.raises(UsageError) as caught:
        find(TOPICS, query)
    assert caught.value.what == f"nothing is known of '{query}'"
    assert caught.value.todo.startswith(f"Did you mean {near}? `sohistio explain` lists")


def test_too_much_is_listed() -> None:
    with pytest.raises(UsageError) as caught:
        find(TOPICS, "the")
    assert "topics" in caught.value.what
    assert len(caught.value.details) > MOST


def test_what_is_not_known_is_not_repeated_at_length() -> None:
    with pytest.raises(UsageError) as caught:
        find(TOPICS, "x" * 100_000)
    assert len(caught.value.what) < 120


@pytest.mark.parametrize("query", ["...", "…", "#", "[]", "(", "\x1b[2J", "x" * 10_000])
def test_nonsense_is_wrong_usage(query: str) -> None:
    with pytest.raises(UsageError):
        find(TOPICS, query)


def test_the_examples_of_help_are_explained() -> None:
    lines = examples_of(explain).splitlines()
    asked = [shlex.split(line, comments=True)[2:] for line in lines]
    assert [words for words in asked if words and not find(TOPICS, " ".join(words))] == []
    assert [] in asked, "and without a name"
