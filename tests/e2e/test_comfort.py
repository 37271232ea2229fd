"""What people read: on narrow terminals, without colours, in a pipe that closes, in a chat; and diffs of CRDs."""

from __future__ import annotations

import re
import subprocess

import pytest

from sandboxes import CHECKOUT, Sandbox
from terminal import shown_on_terminal

pytestmark = pytest.mark.e2e

LOCAL = ("--env", "local")
COLUMNS = 60
# Longer ones do not fit beside a name: they may be folded anywhere.
LONGEST_WORD = 24
GATEWAYS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/gateways.networking.istio.io"
SYSTEM = "/api/v1/namespaces/kube-system"
READ_ONLY = (
    ("plan", *LOCAL, "--version", "1.30.5", "--mode", "reinstall", "--diff"),
    ("check", *LOCAL),
    ("check", "--list"),
    ("verify", *LOCAL),
    ("history", *LOCAL),
    ("images", "list", *LOCAL),
    ("env", "list"),
    ("env", "diff", "qa", "dr"),
    ("sandbox", "status"),
)


@pytest.fixture(scope="module")
def meshed(sandbox: Sandbox) -> Sandbox:
    sandbox.with_mesh()
    return sandbox


def on_a_terminal(box: Sandbox, *arguments: str, **variables: str) -> tuple[int, str]:
    """Exit code and what a terminal of 60 columns gets on stdout."""
    environ = {name: text for name, text in box.environ(**variables).items() if name not in ("COLUMNS", "FORCE_COLOR")}
    return shown_on_terminal(box.command(*arguments), COLUMNS, environ, CHECKOUT)


@pytest.mark.parametrize("command", READ_ONLY, ids=" ".join)
def test_a_narrow_terminal_cuts_no_word(meshed: Sandbox, command: tuple[str, ...]) -> None:
    code, shown = on_a_terminal(meshed, *command, NO_COLOR="1", TERM="xterm-256color")
    piped = meshed.run(*command)
    assert code == piped.returncode
    assert "\x1b" not in shown
    assert [line for line in shown.splitlines() if len(line) > COLUMNS] == []
    whole = set(piped.stdout.split())
    long = " ".join(word for word in whole if len(word) > LONGEST_WORD)
    cut = [word for word in shown.split() if word not in whole and word not in long and not re.search("[0-9]", word)]
    assert cut == []


def test_a_plain_terminal_gets_plain_text(meshed: Sandbox) -> None:
    _, shown = on_a_terminal(meshed, "check", *LOCAL, TERM="dumb")
    assert "\x1b" not in shown
    assert "√  api-server" in shown


@pytest.mark.parametrize("command", [("check", "--list"), ("env", "list"), ("history", *LOCAL)], ids=" ".join)
def test_a_pipe_that_closes_is_quiet(meshed: Sandbox, command: tuple[str, ...]) -> None:
    with subprocess.Popen(
        meshed.command(*command),
        cwd=CHECKOUT,
        env=meshed.environ(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()
    assert process.returncode == 0
    assert re.sub("^looking at .*\n", "", said, flags=re.MULTILINE) == ""


def test_a_crds_schema_is_one_line_of_a_diff(meshed: Sandbox) -> None:
    crd = meshed.api.get(GATEWAYS)
    assert crd is not None
    versions = crd["spec"]["versions"]
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    loose = [
        item | {"schema": {"openAPIV3Schema": anything | {"properties": {"status": anything}}}} for item in versions
    ]
    by_hand = {"fieldManager": "kubectl-edit"}
    merge = "application/merge-patch+json"
    meshed.api.request("PATCH", GATEWAYS, query=by_hand, body={"spec": {"versions": loose}}, content_type=merge)

    folded = meshed.run("plan", *LOCAL, "--diff").stdout
    lines = re.findall(
        r"^      spec\.versions\[(\w+)\]\.schema: ([\d,]+) lines differ \(set by kubectl-edit\); --full shows them$",
        folded,
        re.MULTILINE,
    )
    assert [name for name, _ in lines] == sorted(item["name"] for item in versions)
    assert all(int(count.replace(",", "")) > 100 for _, count in lines)
    assert "One or more labels" not in folded
    assert max(map(len, folded.splitlines())) < 200

    for whole in (meshed.run("plan", *LOCAL, "--full"), meshed.run("plan", *LOCAL, "--output", "json")):
        assert "One or more labels that indicate a specific set of pods" in whole.stdout
    meshed.api.merge_patch(GATEWAYS, {"spec": {"versions": versions}})


def test_a_check_in_one_line(meshed: Sandbox) -> None:
    done = meshed.run("check", *LOCAL, "--short")
    assert (done.returncode, done.stdout.count("\n")) == (0, 1)
    assert re.fullmatch(r"local: 1 warning \(application-namespaces\), \d+ passed, \d+ skipped\n", done.stdout)
    label = {"metadata": {"labels": {"istio-injection": "enabled"}}}
    meshed.api.merge_patch(SYSTEM, label)
    try:
        done = meshed.run("check", *LOCAL, "--short")
    finally:
        meshed.api.merge_patch(SYSTEM, {"metadata": {"labels": {"istio-injection": None}}})
    assert (done.returncode, done.stdout.count("\n")) == (3, 1)
    assert done.stdout.startswith("local: 1 failed (system-namespaces: ")
    assert "kube-system" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "other"),
    [
        (("--output", "json"), "--output json"),
        (("--output", "junit"), "--output junit"),
        (("--list",), "--list"),
    ],
)
def test_one_line_is_for_people(sandbox: Sandbox, arguments: tuple[str, ...], other: str) -> None:
    done = sandbox.run("check", *LOCAL, "--short", *arguments)
    assert done.returncode == 2
    assert f"--short is one line for people, {other} is not" in done.stderr
