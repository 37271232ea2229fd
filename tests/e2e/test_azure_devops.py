"""What runs and looks say to Azure DevOps: its agent's view of them, read by a parser that shares no code with ours."""

from __future__ import annotations

import json
import re
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import pytest

from agent_reading import AgentLog, read
from sandboxes import Sandbox
from sohistio.adapters.kubernetes.hold import Hold
from sohistio.adapters.kubernetes.lease import Lock
from workloads import apply, await_running, deployment, namespace

pytestmark = pytest.mark.e2e

LOCAL = ("--env", "local")


@dataclass(frozen=True)
class Step:
    """A step of a pipeline: what the command gave, and what the agent made of it."""

    done: subprocess.CompletedProcess[str]

    @property
    def code(self) -> int:
        return self.done.returncode

    @property
    def agent(self) -> AgentLog:
        return read(self.done.stdout, self.done.stderr)

    def page(self) -> str:
        """The summary that was uploaded; its path is an output variable, too."""
        (upload,) = self.agent.named("task.uploadsummary")
        assert upload.message == self.agent.variables["summaryFile"]
        assert Path(upload.message).is_absolute()
        return Path(upload.message).read_text(encoding="utf-8")

    def suite(self, stage: str) -> ElementTree.Element:
        """The test results of a stage, found as PublishTestResults@2 finds them."""
        path = Path(self.agent.variables[f"{stage}Results"])
        assert path in path.parent.glob("sohistio-*.junit.xml")
        (suite,) = ElementTree.parse(path).getroot()  # noqa: S314 — our own
        return suite


@dataclass(frozen=True)
class Job:
    """A job on an agent: its temporary folder lives as long as all of its steps."""

    box: Sandbox
    folder: Path

    def step(self, *arguments: str) -> Step:
        return Step(self.box.run(*arguments, TF_BUILD="True", AGENT_TEMPDIRECTORY=str(self.folder)))


@pytest.fixture
def job(sandbox: Sandbox, tmp_path: Path) -> Job:
    return Job(sandbox, tmp_path)


def are(variables: dict[str, str], **wanted: str) -> None:
    """Each of these variables has its value."""
    assert {name: variables[name] for name in wanted} == wanted


def test_a_mesh_from_its_install_to_a_failed_verification(empty_sandbox: Sandbox, job: Job) -> None:
    box, api = empty_sandbox, empty_sandbox.api
    for name in ("shop", "payments", "media"):
        apply(api, namespace(name, injected=False))
    planned = job.step("plan", *LOCAL, "--version", "1.30.5", "--exit-code")
    assert planned.code == 4
    are(planned.agent.variables, outcome="changesPending", mode="install", changed="true", exitCode="4")
    assert planned.agent.result == "", "the exit code says it"

    first = job.step("install", *LOCAL, "--version", "1.30.5", "--yes")
    assert first.code == 0, first.done.stderr
    are(
        first.agent.variables,
        outcome="done",
        mode="install",
        installedVersion="",
        targetVersion="1.30.5",
        changed="true",
        restarts="0",
        failures="0",
        warnings="0",
    )
    assert int(first.agent.variables["changedObjects"]) > 40
    assert (first.agent.named("task.logissue"), first.agent.result) == ([], "")
    assert first.suite("verification").get("failures") == "0"
    assert first.suite("preflight").get("name") == "sohistio.preflight.local"
    grouped(first)

    again = job.step("install", *LOCAL, "--version", "1.30.5", "--yes")
    are(again.agent.variables, outcome="upToDate", mode="none", changed="false", changedObjects="0")
    assert (again.code, again.agent.named("task.logissue"), again.agent.result) == (0, [], "")
    assert again.page().startswith("# local: install, up to date\n")
    assert again.agent.variables["summaryFile"] != first.agent.variables["summaryFile"], "that one may not be read yet"

    # A workload that the old mesh injected is restarted by the upgrade, one that opted out is left alone.
    api.merge_patch("/api/v1/namespaces/shop", {"metadata": {"labels": {"istio-injection": "enabled"}}})
    apply(api, deployment("shop", "web", replicas=1))
    apply(api, deployment("shop", "legacy", replicas=1, labels={"sidecar.istio.io/inject": "false"}))
    await_running(api, "shop", 2)
    upgraded = job.step("install", *LOCAL, "--yes", "--output", "json")
    assert upgraded.code == 0, upgraded.done.stderr
    are(upgraded.agent.variables, mode="upgrade", installedVersion="1.30.5", restarts="1", changed="true")
    assert json.loads(upgraded.done.stdout)["tally"]["restarts"] == 1, "stdout is the document alone"
    assert upgraded.page().splitlines()[2].startswith("local: Istio 1.31.1 is in place and verified: ")
    assert "| Deployment shop/web | done |" in upgraded.page()
    assert "| Deployment shop/legacy | opted out of injection |" in upgraded.page()
    grouped(upgraded)

    # A workload without its sidecar fails the verification.
    label = "/api/v1/namespaces/media"
    api.merge_patch(label, {"metadata": {"labels": {"istio-injection": None}}})
    apply(api, deployment("media", "cart", replicas=1))
    await_running(api, "media", 1)
    api.merge_patch(label, {"metadata": {"labels": {"istio-injection": "enabled"}}})
    verified = job.step("verify", *LOCAL, "--output", "junit")
    assert verified.code == 5
    are(verified.agent.variables, outcome="verificationFailed", failures="1", exitCode="5")
    assert [code for code, _ in verified.agent.issues("error")] == ["sidecars-current"]
    (suite,) = ElementTree.fromstring(verified.done.stdout)  # noqa: S314 — our own
    (failure,) = suite.findall("testcase[@name='sidecars-current']/failure")
    assert "media/cart" in failure.get("message", "")
    assert ElementTree.tostring(suite) == ElementTree.tostring(verified.suite("verification"))
    assert verified.page().startswith("# local: verify, verification failed\n")

    # Outside a pipeline nothing of all this is said.
    outside = box.run("verify", *LOCAL, "--output", "junit")
    assert outside.stdout == verified.done.stdout
    assert outside.stderr == "".join(f"{line}\n" for line in read(verified.done.stderr).lines if line)
    restarted = box.run("restart", *LOCAL, "--yes")
    assert (restarted.returncode, "##" in restarted.stdout + restarted.stderr) == (0, False)


def test_a_warning_a_refusal_and_wrong_usage(sandbox: Sandbox, job: Job) -> None:
    if sandbox.run("install", *LOCAL).returncode:
        pytest.fail("no mesh to look at")
    sandbox.api.delete("/api/v1/namespaces/payments")
    checked = job.step("check", *LOCAL)
    assert checked.code == 0, checked.done.stdout
    are(checked.agent.variables, outcome="passed", failures="0")
    assert checked.agent.result == "SucceededWithIssues"
    warnings = dict(checked.agent.issues("warning"))
    assert warnings["application-namespaces"].startswith("local: application-namespaces: payments ")
    assert checked.suite("preflight").get("failures") == "0"
    assert "| application-namespaces | warning | payments " in checked.page()

    refused = job.step("install", *LOCAL, "--version", "1.29.8", "--yes")
    assert refused.code == 3
    are(refused.agent.variables, outcome="refused", changed="false", exitCode="3", installedVersion="1.31.1")
    ((code, message),) = refused.agent.issues("error")
    assert (code, "a downgrade needs --mode reinstall. What to do: " in message) == ("refused", True)
    assert "a downgrade needs" in refused.agent.variables["refusal"]
    assert "\n## Error\n" in refused.page()

    wrong = job.step("install", "--env", "nowhere")
    assert wrong.code == 2
    assert [code for code, _ in wrong.agent.issues("error")] == ["wrong-usage"]
    are(wrong.agent.variables, outcome="wrongUsage", environment="nowhere")

    held = Lock(sandbox.api, lambda _: None, threading.Event())
    with held.held("somebody@elsewhere", Hold(threading.Event())):
        locked = job.step("install", *LOCAL, "--yes")
    assert locked.code == 3
    are(locked.agent.variables, outcome="refused", environment="local")
    assert Path(locked.agent.variables["summaryFile"]).name.startswith("sohistio-install-local")
    assert locked.page().startswith("# local: install, refused\n")

    passed_on = job.step("istioctl", *LOCAL, "--", "analyze", "--bogus")
    assert passed_on.code == 64
    are(passed_on.agent.variables, outcome="failed", exitCode="64", environment="local")
    assert "\nExit code 64.\n" in passed_on.page()
    changing = job.step("istioctl", *LOCAL, "--", "install")
    are(changing.agent.variables, outcome="refused", exitCode="3", environment="local")

    shown = job.step("status", *LOCAL)
    are(shown.agent.variables, environments="1", notRead="0")
    assert "| environment | state | version |" in shown.page()
    assert re.search(r"^\| local \| [a-z ]+ \| 1\.31\.1 \|", shown.page(), re.MULTILINE)
    assert job.step("history", *LOCAL).agent.commands == [], "it has nothing to tell"


def test_a_folder_that_cannot_be_written_costs_the_page_only(sandbox: Sandbox, tmp_path: Path) -> None:
    file = tmp_path / "a-file"
    file.touch()
    step = Job(sandbox, file).step("env", "show", "nowhere")
    assert step.code == 2
    ((code, message),) = step.agent.issues("warning")
    assert (code, f"({file} is no folder)" in message) == ("file-not-written", True)
    assert "summaryFile" not in step.agent.variables
    shown = Job(sandbox, file).step("status", *LOCAL)
    assert (shown.code, shown.agent.result) == (0, "SucceededWithIssues")


def grouped(step: Step) -> None:
    """Each phase is a group around its lines, and the progress never goes back."""
    formats = [name for name, _ in step.agent.formats]
    assert formats == ["group", "endgroup"] * (len(formats) // 2)
    assert ("group", "verify") in step.agent.formats
    values = [int(command.properties["value"]) for command in step.agent.named("task.setprogress")]
    assert values == sorted(values)
    assert values[0] == 0
    assert re.search(
        r"^##\[group\]verify\n\d\d:\d\d:\d\d phase verify\n", step.done.stdout + step.done.stderr, re.MULTILINE
    )
