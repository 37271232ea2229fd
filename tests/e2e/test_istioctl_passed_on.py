"""`sohistio istioctl`: the pinned istioctl on the environment's cluster, as a person would use it."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import pytest

from killing import istioctls, no_istioctl_is_left
from sandboxes import CHECKOUT, LONGEST_COMMAND, Sandbox
from shop import await_true

pytestmark = pytest.mark.e2e

LOCAL = ("istioctl", "--env", "local")
INVALID = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web, namespace: shop}
spec: {hosts: []}
"""


def started(box: Sandbox, *arguments: str, stdin: int = subprocess.PIPE) -> subprocess.Popen[str]:
    return subprocess.Popen(
        box.command(*arguments),
        cwd=CHECKOUT,
        env=box.environ(),
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def empty(sandbox: Sandbox) -> Sandbox:
    sandbox.reset()
    return sandbox


def test_it_is_the_pinned_one_on_the_environments_cluster(empty: Sandbox) -> None:
    writes = empty.writes()
    version = empty.run(*LOCAL, "--version", "1.30.5", "--", "version", "--remote=false", "-o", "json")
    assert version.returncode == 0, version.stderr
    assert json.loads(version.stdout)["clientVersion"]["version"] == "1.30.5"
    analyzed = empty.run(*LOCAL, "--", "analyze", "-A", "-o", "json")
    assert analyzed.returncode == 0, analyzed.stderr
    assert "Namespace default" in {finding["origin"] for finding in json.loads(analyzed.stdout)}
    assert empty.writes() == writes


def test_its_own_exit_code_and_words_are_passed_on(sandbox: Sandbox) -> None:
    done = sandbox.run(*LOCAL, "--", "proxy-status", "--nonsense")
    assert done.returncode == 64
    assert "unknown flag: --nonsense" in done.stderr
    assert "What to do" not in done.stderr


def test_it_reads_standard_input_and_a_context_of_ones_own(sandbox: Sandbox) -> None:
    where = ("--kubeconfig", str(sandbox.kubeconfig), "--context", sandbox.context)
    mirror = {"SOHISTIO_ISTIO_MIRROR": sandbox.mirror}
    with subprocess.Popen(
        sandbox.command(*LOCAL, *where, "--", "validate", "-f", "-"),
        cwd=CHECKOUT,
        env=sandbox.environ(**mirror),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        _, said = process.communicate(INVALID, timeout=LONGEST_COMMAND)
    assert process.returncode == 1, said
    assert "VirtualService/shop/web" in said
    assert not sandbox.folders_of_runs, "its kubeconfig went with it"


def test_ctrl_c_reaches_it_and_nothing_is_left(sandbox: Sandbox) -> None:
    with started(sandbox, *LOCAL, "--", "validate", "-f", "-") as process:
        await_true(lambda: bool(istioctls(sandbox)))
        process.send_signal(signal.SIGINT)
        process.wait(LONGEST_COMMAND)
        assert process.stderr is not None
        said = process.stderr.read()
    assert process.returncode == 130, said
    no_istioctl_is_left(sandbox)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("proxy-status", "--context", "other"), 2, "'--context' names another cluster"),
        (("uninstall", "--purge", "-y"), 3, "Use `sohistio uninstall --env local`."),
    ],
)
def test_what_is_refused_before_anything_starts(
    sandbox: Sandbox, tmp_path: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    done = sandbox.run(*LOCAL, "--", *arguments, cwd=CHECKOUT, XDG_CACHE_HOME=str(tmp_path))
    assert (done.returncode, words in done.stderr) == (code, True), done.stderr
    assert list(tmp_path.rglob("istioctl*")) == []
