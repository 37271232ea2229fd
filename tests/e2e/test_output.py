"""Output that cannot be written ends no run; text from the cluster is shown, and obeyed by nobody."""

from __future__ import annotations

import json
import re
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from agent_reading import AgentLog, read
from own_environments import own_environments
from sandboxes import CHECKOUT, Sandbox
from sohistio.adapters.kubernetes.api import KubeApi
from sohistio.adapters.kubernetes.errors import KubeError
from sohistio.adapters.kubernetes.record_store import read_record, write_record
from sohistio.model.mode import Mode
from workloads import apply, await_running, deployment, namespace

pytestmark = pytest.mark.e2e

LOCAL = ("--env", "local")
C_LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
HOSTILE = "\x1b[31m##vso[task.setvariable variable=x]y\r\n##[error]z [/y] [red]"
LEASE = "/apis/coordination.k8s.io/v1/namespaces/istio-system/leases/sohistio"
VALIDATORS = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
POLICIES = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolic"


def to_full_disk(box: Sandbox, *arguments: str, both: bool = False) -> tuple[int, str]:
    """Exit code and stderr of a command whose stdout, or both, go to a disk that is full."""
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            box.command(*arguments),
            cwd=CHECKOUT,
            env=box.environ(),
            stdin=subprocess.DEVNULL,
            stdout=full,
            stderr=full if both else subprocess.PIPE,
            timeout=120,
            check=False,
        )
    return done.returncode, (done.stderr or b"").decode()


def until_closed(box: Sandbox, *arguments: str, lines: int, **variables: str) -> tuple[int, str]:
    """Exit code and stderr of a command whose reader leaves after so many lines, as `| head` does."""
    with subprocess.Popen(
        box.command(*arguments),
        cwd=CHECKOUT,
        env=box.environ(**variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for _ in range(lines):
            process.stdout.readline()
        process.stdout.close()
        said = process.stderr.read().decode()
    return process.returncode, said


def test_runs_go_on_and_answers_are_whole_or_failed(empty_sandbox: Sandbox) -> None:
    box = empty_sandbox
    logs = box.state_home / "sohistio" / "logs"
    known = set(logs.glob("*"))
    code, said = until_closed(box, "install", *LOCAL, "--yes", lines=1, **C_LOCALE)
    assert code == 0, said
    (log,) = set(logs.glob("*")) - known
    assert f"Note: standard output was closed. The run goes on; all that it says is in {log}." in said
    assert said.isascii()
    assert "Exception ignored" not in said
    text = log.read_text()
    for line in (
        "mode         install",
        "phase verify",
        "√  istiod-version",
        "local: Istio 1.31.1 is in place and verified",
    ):
        assert line in text
    assert "Processing resources for Istiod" in text, "istioctl's own words are in it"
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    record = read_record(box.api)
    assert record is not None
    assert record.runs[-1].outcome == "done"

    # Nothing to do is an end as good as any; what only looks has to give its answer.
    assert to_full_disk(box, "install", *LOCAL, "--yes", "--output", "json", both=True)[0] == 0
    answers: tuple[tuple[str, ...], ...] = (("plan", *LOCAL, "--output", "json"), ("render", *LOCAL))
    for command in answers:
        code, said = to_full_disk(box, *command)
        assert code == 1, said
        assert said.count("Error: ") == said.count("Error: standard output cannot be written.") == 1, said
        assert "No space left on device" in said
    for command in answers:
        code, said = until_closed(box, *command, lines=0)
        assert code == 0
        assert re.sub("^(looking at|comparing) .*\n", "", said, flags=re.MULTILINE) == ""

    apply(box.api, namespace("media", injected=False))
    apply(box.api, deployment("media", "cart", replicas=1))
    await_running(box.api, "media", 1)
    box.api.merge_patch("/api/v1/namespaces/media", {"metadata": {"labels": {"istio-injection": "enabled"}}})
    shown = box.run("verify", *LOCAL, PYTHONIOENCODING="ascii")
    assert (shown.returncode, shown.stderr.count("Error")) == (5, 0)
    assert re.search("^\\+  istiod-version .*\n", shown.stdout)
    assert "x  sidecars-current" in shown.stdout
    assert "-> Run `sohistio restart`." in shown.stdout
    code, said = to_full_disk(box, "restart", *LOCAL, "--yes")
    assert code == 0, said
    assert "Note: standard output cannot be written ([Errno 28]" in said
    assert "bug" not in said


@contextmanager
def nothing_validated(api: KubeApi) -> Iterator[None]:
    """istiod's validation sees nothing, so that a custom resource may say anything."""
    names = ("istio-validator-istio-system", "istiod-default-validator")
    before = {name: (api.get(f"{VALIDATORS}/{name}") or {})["webhooks"] for name in names}
    for name, webhooks in before.items():
        blind = [webhook | {"objectSelector": {"matchLabels": {"no": "object"}}} for webhook in webhooks]
        api.merge_patch(f"{VALIDATORS}/{name}", {"webhooks": blind})
    try:
        yield
    finally:
        for name, webhooks in before.items():
            now = (api.get(f"{VALIDATORS}/{name}") or {})["webhooks"]
            selectors = [webhook["objectSelector"] for webhook in webhooks]
            seeing = [webhook | {"objectSelector": old} for webhook, old in zip(now, selectors, strict=True)]
            api.merge_patch(f"{VALIDATORS}/{name}", {"webhooks": seeing})


def create_once_unseen(api: KubeApi, collection: str, obj: dict[str, Any]) -> None:
    """The API server hears of a changed webhook a moment later: until then istiod refuses the object."""
    for _ in range(50):
        try:
            api.create(collection, obj)
        except KubeError as error:
            if error.status != 400:
                raise
            time.sleep(0.2)
        else:
            return
    raise AssertionError(f"istiod still validates {collection}")


@contextmanager
def cordoned(api: KubeApi) -> Iterator[None]:
    """No node takes a pod: rollouts hang."""
    nodes = [f"/api/v1/nodes/{node['metadata']['name']}" for node in api.items("/api/v1/nodes")]
    for node in nodes:
        api.merge_patch(node, {"spec": {"unschedulable": True}})
    try:
        yield
    finally:
        for node in nodes:
            api.merge_patch(node, {"spec": {"unschedulable": None}})


def plant(api: KubeApi) -> None:
    """Hostile text in whatever of a cluster is shown."""
    apply(api, namespace("shop", injected=False))
    for name in ("hangs", "refused"):
        apply(api, deployment("shop", name, replicas=1))
    await_running(api, "shop", 2)
    labelled = {"name": "planted", "labels": {"app": "hangs", "sandbox.sohistio/trouble": "image-pull"}}
    container = {"name": "app", "image": f"example/{HOSTILE}:1"}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": labelled, "spec": {"containers": [container]}}
    api.create("/api/v1/namespaces/shop/pods", pod)
    labels = {"metadata": {"labels": {"istio-injection": "enabled"}}}
    manager = {"fieldManager": "##vso[task.complete]x [/y] [red]"}
    content = "application/merge-patch+json"
    api.request("PATCH", "/api/v1/namespaces/shop", query=manager, body=labels, content_type=content)
    replicas = {"spec": {"maxReplicas": 9}}
    budget = "/apis/autoscaling/v2/namespaces/istio-system/horizontalpodautoscalers/istiod"
    api.request("PATCH", budget, query=manager, body=replicas, content_type=content)
    about = {"kind": "Deployment", "namespace": "shop", "name": "hangs"}
    event = {"apiVersion": "v1", "kind": "Event", "metadata": {"name": "planted", "namespace": "shop"}}
    said = {"involvedObject": about, "type": "Warning", "reason": HOSTILE, "message": HOSTILE}
    api.create("/api/v1/namespaces/shop/events", event | said)
    with nothing_validated(api):
        route = {"route": [{"destination": {"host": HOSTILE}}]}
        spec = {"hosts": ["planted.example.com"], "gateways": [f"shop/{HOSTILE}"], "http": [route]}
        kind = {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": "planted"}}
        create_once_unseen(api, "/apis/networking.istio.io/v1/namespaces/shop/virtualservices", kind | {"spec": spec})

    matches = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "shop"}},
        "resourceRules": [
            {"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["UPDATE"], "resources": ["deployments"]}
        ],
    }
    rule = {"expression": "object.metadata.name != 'refused'", "messageExpression": json.dumps(HOSTILE)}
    group = {"apiVersion": "admissionregistration.k8s.io/v1", "metadata": {"name": "planted"}}
    policy = {"kind": "ValidatingAdmissionPolicy", "spec": {"matchConstraints": matches, "validations": [rule]}}
    bound = {"policyName": "planted", "validationActions": ["Deny"]}
    api.create(f"{POLICIES}ies", group | policy)
    api.create(f"{POLICIES}ybindings", group | {"kind": "ValidatingAdmissionPolicyBinding", "spec": bound})
    plant_record_and_lock(api)


def plant_record_and_lock(api: KubeApi) -> None:
    record = read_record(api)
    assert record is not None
    names = ("host", "started", "ended", "outcome", "last_step", "backup", "from_version")
    texts: dict[str, Any] = dict.fromkeys(names, HOSTILE) | {"mode": Mode.UPGRADE}
    run = replace(record.runs[-1], id="planted", who=f"Doe, Jane [ext] {HOSTILE}", **texts)
    write_record(api, record.with_run(run))
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    held = {"holderIdentity": HOSTILE, "leaseDurationSeconds": 60, "acquireTime": now, "renewTime": now}
    api.merge_patch(LEASE, {"metadata": {"annotations": {"sohistio/unlocked-because": HOSTILE}}, "spec": held})


def obeyed(text: str) -> list[str]:
    """The lines that do something, or that the planted text begins."""
    bad = re.compile(r"\x1b|\r|\x9b|##vso\[|##\[|^\s{0,1}(# ?#|\[31m|\\x1b|z \[)", re.IGNORECASE)
    return [line for line in text.split("\n") if bad.search(line)]


OURS = {f"task.{name}" for name in ("logissue", "setprogress", "setvariable", "uploadsummary", "complete")}
OUTCOMES = {"done", "failed", "refused", "passed", "upToDate", "changesPending", "verificationFailed", ""}


def check_what_an_agent_obeys(log: AgentLog, folder: Path) -> None:
    """Each command is one of ours, about what it is for, and what it says is text."""
    assert {command.name for command in log.commands} <= OURS
    assert "x" not in log.variables
    assert log.variables.get("outcome", "") in OUTCOMES
    files = ("summaryFile", "preflightResults", "verificationResults")
    values = {name: value for name, value in log.variables.items() if name not in files}
    assert [value for value in values.values() if re.search(r"[^\w .,:/@+=-]", value)] == [], "scripts quote them"
    assert log.result in ("", "SucceededWithIssues")
    assert {Path(command.message).parent for command in log.named("task.uploadsummary")} <= {folder}
    codes = [code for kind in ("error", "warning") for code, _ in log.issues(kind)]
    assert [code for code in codes if not re.fullmatch("[a-z]+(-[a-z]+)*", code)] == []
    assert {name for name, _ in log.formats} <= {"group", "endgroup"}
    assert [text for name, text in log.formats if not re.fullmatch("[a-z-]*", text)] == []
    said = "\n".join(value for command in log.commands for value in (command.message, *command.properties.values()))
    assert re.findall(r"\x1b|\r|\x9b|##vso\[|##\[", said, re.IGNORECASE) == []


def test_nothing_from_the_cluster_is_obeyed(sandbox: Sandbox, tmp_path: Path) -> None:
    box, api = sandbox, sandbox.api
    if read_record(api) is None:
        assert box.run("install", *LOCAL).returncode == 0
    plant(api)
    flags = own_environments(tmp_path, restarts={"parallel": 2, "maxFailures": 2, "timeout": "9s"})
    logs = box.state_home / "sohistio" / "logs"
    known = set(logs.glob("*"))
    agent_folder = tmp_path / "agent"

    def said_by(*arguments: str) -> str:
        with subprocess.Popen(
            box.command(*arguments),
            cwd=CHECKOUT,
            env=box.environ(TF_BUILD="True", AGENT_TEMPDIRECTORY=str(agent_folder)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            stdout, stderr = (part.decode() for part in process.communicate())
        assert "\r" not in stdout + stderr, arguments
        check_what_an_agent_obeys(read(stdout, stderr), agent_folder)
        stdout, stderr = ("\n".join(read(part).lines) for part in (stdout, stderr))
        for part in (stdout, stderr):
            assert obeyed(part) == [], arguments
        assert "Traceback" not in stderr
        assert "has a bug" not in stderr
        return stdout if "json" in arguments or "junit" in arguments else stdout + stderr

    shown = "# #vso[task.setvariable variable=x]y⏎# #[error]z [/y] [red]"
    assert "Doe, Jane [ext]" in said_by("status", *LOCAL)
    lock = json.loads(said_by("status", *LOCAL, "--output", "json"))["environments"][0]["lock"]
    assert lock["holder"] == HOSTILE, "a document says what there is"
    assert shown in said_by("check", *flags)
    ElementTree.fromstring(said_by("check", *flags, "--output", "junit"))  # noqa: S314 — our own
    assert shown in said_by("unlock", *LOCAL, "--reason", HOSTILE)
    assert "Doe, Jane [ext]" in said_by("history", *LOCAL)
    assert json.loads(said_by("history", *LOCAL, "--output", "json"))["runs"][-1]["host"] == HOSTILE
    plan = said_by("plan", *flags)
    assert "set by # #vso[task.complete]x [/y] [red]" in plan
    assert "# #vso[task.setvariable variable=x]y" in plan, "the last run's words"
    json.loads(said_by("plan", *flags, "--diff", "--output", "json"))
    with cordoned(api):
        restarted = said_by("restart", *flags, "--yes")
    assert f"hangs: \\x1b[31m{shown}: \\x1b[31m{shown}" in restarted, "an event"
    assert "planted: container app: ImagePullBackOff: Back-off pulling image" in restarted
    assert "denied request: " in restarted
    assert "# #vso[" in said_by("verify", *flags), "what istioctl analyze found"
    said_by("install", *flags, "--yes")
    said_by("uninstall", *flags, "--with-sidecars")
    new = set(logs.glob("*")) - known
    assert new
    for log in new:
        assert obeyed(log.read_text()) == []
        assert stat.S_IMODE(log.stat().st_mode) == 0o600
    files = read(*(file.read_text() for file in agent_folder.iterdir()))
    assert (files.commands, files.formats) == ([], [])
    assert any("&#35;vso&#91;task.setvariable variable=x&#93;y" in line for line in files.lines)
