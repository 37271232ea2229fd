"""Who changed what, and why: the reason of a run in the record, the events and the messages of a webhook."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from accounts import account, kubeconfig_for
from json_schemas import check
from killing import killed_once, last_run
from own_environments import own_environments
from sandboxes import CHECKOUT, Sandbox
from sohistio.adapters.kubernetes.hold import Hold
from sohistio.adapters.kubernetes.lease import Lock
from sohistio.adapters.kubernetes.record_store import read_record, write_record
from sohistio.errors import ExitCode
from sohistio.model.cause import Cause
from sohistio.model.mode import Mode
from sohistio.modes.install_plan import Request
from sohistio.output.run_report import RunReport
from sohistio.planning.install import plan_install
from sohistio.planning.session import Session, Where
from sohistio.run.approval import Approval
from sohistio.run.carry_out import carry_out
from sohistio.run.tools import Timeouts
from sohistio.system.certificates import Authority
from webhook_server import WebhookServer, serving

pytestmark = pytest.mark.e2e

REASON = "CHG0012345 monthly patch"
BUDGET = "/apis/policy/v1/namespaces/istio-system/poddisruptionbudgets/istiod"
EVENTS = "/api/v1/namespaces/istio-system/events"
UNSENT = "Warning: the webhook of SOHISTIO_NOTIFY_URL got no message: "
NO_EVENT = "This run goes on, but its Kubernetes Event could not be written: "


@dataclass(frozen=True)
class World:
    """The sandbox, as an environment that requires a reason and reports to a webhook."""

    box: Sandbox
    local: tuple[str, ...]
    webhook: WebhookServer
    authority: Path

    @property
    def variables(self) -> dict[str, str]:
        return {"SOHISTIO_NOTIFY_URL": self.webhook.url, "SSL_CERT_FILE": str(self.authority)}

    def run(self, command: str, *flags: str, **variables: str) -> subprocess.CompletedProcess[str]:
        given = self.variables | variables
        done = self.box.run(*command.split(), *self.local, *flags, cwd=CHECKOUT, **given)
        assert "s3cret" not in done.stdout + done.stderr, "the webhook's URL is a secret"
        return done

    def posted(self) -> list[dict[str, Any]]:
        """What came since the last look, each held against its schema."""
        found = [check(json.dumps(document), "ChangeNotice") for document in self.webhook.posted]
        self.webhook.posted.clear()
        return found

    def needs_a_change(self) -> None:
        """The next install has something to do, a little."""
        self.box.api.delete(BUDGET)

    def events(self) -> list[dict[str, Any]]:
        return self.box.api.items(EVENTS, fields="involvedObject.name=sohistio-record")


@pytest.fixture(scope="module")
def world(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A webhook with TLS, of a company's own authority; nothing installed."""
    sandbox.reset()
    folder, authority = tmp_path_factory.mktemp("audit"), Authority("the company's")
    bundle = tmp_path_factory.mktemp("trust") / "ca.pem"
    bundle.write_text(authority.certificate)
    local = own_environments(
        folder, audit={"reasonRequired": True}, notify={"webhook": "SOHISTIO_NOTIFY_URL", "format": "json"}
    )
    with WebhookServer(serving(authority, bundle.parent)) as webhook:
        yield World(sandbox, local, webhook, bundle)


def test_a_reason_is_required_and_goes_everywhere(world: World) -> None:
    refused = world.run("install", "--yes")
    assert refused.returncode == 3, refused.stdout + refused.stderr
    assert "Error: local requires a reason for each change, and none was given." in refused.stderr
    assert world.box.writes() == []
    (notice,) = world.posted()
    assert (notice["title"], notice["outcome"], notice["exitCode"]) == ("local: install refused", "refused", 3)
    assert (notice["reason"], notice["reasonRequired"], notice["run"]) == ("", True, None)
    assert notice["error"]["what"].startswith("local requires a reason")
    assert world.run("namespaces apply", "--yes").returncode == 3
    (notice,) = world.posted()
    assert (notice["title"], notice["command"]) == ("local: namespaces apply refused", "namespaces apply")
    assert world.box.writes() == []

    done = world.run("install", "--yes", "--output", "json", SOHISTIO_REASON=f"{REASON}\n")
    assert done.returncode == 0, done.stdout + done.stderr
    run = check(done.stdout, "RunResult")["run"]
    assert run["reason"] == REASON
    (notice,) = world.posted()
    assert (notice["title"], notice["reason"], notice["run"]) == ("local: install done", REASON, run)

    (line,) = world.run("history", "--export").stdout.splitlines()
    exported = check(line, "RunRecord")
    assert exported == {"schemaVersion": "1", "kind": "RunRecord", **run}
    assert REASON in world.run("history").stdout
    began, ended = sorted(world.events(), key=lambda event: str(event["firstTimestamp"]))
    assert (began["reason"], ended["reason"], ended["type"]) == ("RunBegan", "RunDone", "Normal")
    assert all(event["message"].endswith(f"run {run['id']}; reason: {REASON}") for event in (began, ended))
    record = world.box.api.get("/api/v1/namespaces/istio-system/configmaps/sohistio-record")
    assert record is not None
    assert began["involvedObject"]["uid"] == record["metadata"]["uid"]
    assert "s3cret" not in json.dumps(record)


def test_who_only_looks_or_finds_nothing_to_do_sends_nothing(world: World) -> None:
    """A scheduled install in an environment that requires a reason is harmless without one."""
    before = world.box.writes()
    for command in ("plan", "status", "install"):
        done = world.run(command)
        assert done.returncode == 0, done.stdout + done.stderr
    assert (world.posted(), world.box.writes()) == ([], before)


def test_a_receiver_in_trouble_changes_no_exit_code(world: World) -> None:
    world.needs_a_change()
    world.webhook.statuses = [500, 502]
    done = world.run("install", "--reason", REASON)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (done.stdout + done.stderr).count(f"{UNSENT}it answered 502") == 1
    assert len(world.posted()) == 2

    world.webhook.silent = 60.0
    refused = world.run("uninstall", "--reason", REASON)
    world.webhook.silent = 0.0
    assert refused.returncode == 3
    assert "nobody approved it" in refused.stderr
    assert refused.stderr.count(f"{UNSENT}no answer in time") == 1
    assert world.posted()[0]["error"]["what"] == "this plan uninstalls the mesh, and nobody approved it"

    unset = world.run("uninstall", "--reason", REASON, SOHISTIO_NOTIFY_URL="$(notifyUrl)")
    assert unset.returncode == 3
    assert f"{UNSENT}the variable SOHISTIO_NOTIFY_URL is not set" in unset.stderr
    untrusted = world.run("uninstall", "--reason", REASON, SSL_CERT_FILE="")
    assert untrusted.returncode == 3
    assert f"{UNSENT}its certificate is not trusted: " in untrusted.stderr
    assert world.posted() == []


def test_a_held_lock_is_reported_and_so_is_who_frees_it(world: World) -> None:
    with Lock(world.box.api, print, threading.Event()).held("bob@elsewhere run 1", Hold(threading.Event())):
        refused = world.run("restart", "--reason", REASON)
        assert refused.returncode == 3, refused.stderr
        (notice,) = world.posted()
        assert (notice["command"], notice["reason"]) == ("restart", REASON)
        assert notice["error"]["what"] == "another run is active on this cluster"
        assert "bob@elsewhere" in notice["error"]["details"][0]
        freed = world.run("unlock", "--reason", "INC-4711\nbob's laptop is off")
        assert freed.returncode == 0, freed.stderr
    (notice,) = world.posted()
    assert (notice["title"], notice["reason"]) == ("local: unlock done", "INC-4711 bob's laptop is off")


def test_a_killed_run_is_reported_by_the_next(world: World) -> None:
    world.needs_a_change()

    def at_work() -> bool:
        run = last_run(world.box)
        return run is not None and run.reason == "CHG1 killed" and run.last_step == "control-plane/install"

    killed, said = killed_once(
        world.box, at_work, "install", *world.local, "--reason", "CHG1 killed", **world.variables
    )
    assert killed, said
    assert world.posted() == []
    if world.box.api.get(BUDGET):
        world.needs_a_change()
    done = world.run("install", "--yes", "--reason", "CHG2 again")
    assert done.returncode == 0, done.stdout + done.stderr
    (notice,) = world.posted()
    assert [(run["reason"], run["outcome"]) for run in notice["killed"]] == [("CHG1 killed", "running")]
    lines = [check(line, "RunRecord") for line in world.run("history", "--export").stdout.splitlines()]
    assert [(line["reason"], line["outcome"]) for line in lines[-2:]] == [
        ("CHG1 killed", "brokeOff"),
        ("CHG2 again", "done"),
    ]
    assert [line["started"] for line in lines] == sorted(line["started"] for line in lines)


def test_a_run_that_died_while_a_plan_was_read_is_reported(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the record says once the lock is held counts, not what it said before the approval."""
    for name, value in world.box.environ(**world.variables).items():
        monkeypatch.setenv(name, value)
    world.needs_a_change()
    session = Session(Where("local", Path(world.local[-1]), cause=Cause("install", "CHG3")), lambda _: None)
    planned = plan_install(session, Request())
    record = read_record(session.api)
    assert record is not None
    died = replace(record.runs[-1], id="died", mode=Mode.RESTART, outcome="running")
    write_record(session.api, record.with_run(died))
    result = carry_out(planned, Approval(yes=True), Timeouts(), RunReport(stderr=False))
    assert result.exit_code is ExitCode.OK
    (notice,) = world.posted()
    assert [run["id"] for run in notice["killed"]] == ["died"]


def test_a_role_without_events_works_and_says_so_once(world: World, tmp_path: Path) -> None:
    flags = ("--kubeconfig", str(_user_without_events(world.box, tmp_path)), "--context", world.box.context)
    world.needs_a_change()
    before = len(world.events())
    done = world.run("install", *flags, "--reason", REASON, SOHISTIO_ISTIO_MIRROR=world.box.mirror)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(NO_EVENT) == 1
    assert "events is forbidden" in done.stdout
    assert len(world.events()) == before
    assert world.posted()[0]["title"] == "local: reinstall done"


def _user_without_events(box: Sandbox, folder: Path) -> Path:
    """The kubeconfig of one with the shipped roles as they were before there were events."""
    name = "older-installer"
    for role in ("reader", "installer"):
        for item in yaml.safe_load_all((CHECKOUT / "rbac" / f"{role}.yaml").read_text()):
            if item["kind"].endswith("Binding"):
                item["subjects"] = [{"kind": "ServiceAccount", "name": name, "namespace": "default"}]
            if "rules" in item:
                item["rules"] = _without_events(item["rules"])
            box.api.apply(box.api.path_of(item), item, "administrator", force=True)
    return kubeconfig_for(box, folder, account(box.api, name))


def _without_events(rules: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [rule for rule in rules if rule.get("resources") != ["events"]]
