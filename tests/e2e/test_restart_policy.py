"""Restarts under a policy: windows, freezes, opt-outs and unreadable annotations hold; a canary goes first."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from killing import await_step, meanwhile
from own_environments import own_environments
from restart_rules import BY_HAND, restarts_of, violations
from sandboxes import Sandbox
from workloads import apply, await_running, deployment, namespace, path_of

pytestmark = pytest.mark.e2e

MERGE = "application/merge-patch+json"
PLACES = ("demo", "till", "vault", "hall")
HOSTILE = "at night ##vso[task.complete result=Failed]"


def clock(hours: int) -> str:
    return f"{datetime.now(UTC) + timedelta(hours=hours):%H:%M}"


def noted(item: dict[str, Any], **notes: str) -> dict[str, Any]:
    """With annotations: `restart_windows` for `sohistio.io/restart-windows`."""
    item["metadata"]["annotations"] = {f"sohistio.io/{key.replace('_', '-')}": text for key, text in notes.items()}
    return item


def by_hand(box: Sandbox, path: str, metadata: Mapping[str, Any]) -> None:
    """Somebody else writes labels or annotations."""
    query = {"fieldManager": BY_HAND}
    box.api.request("PATCH", path, query=query, body={"metadata": metadata}, content_type=MERGE)


@dataclass(frozen=True)
class World:
    """A mesh, and workloads that are injected from now on and have no sidecar yet."""

    box: Sandbox
    flags: tuple[str, ...]

    def restart(self, *flags: str) -> dict[str, Any]:
        done = self.box.run("restart", *self.flags, "--yes", "--output", "json", *flags)
        assert done.returncode == 0, done.stdout + done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def objects(self) -> list[dict[str, Any]]:
        return [*self.box.api.items("/apis/apps/v1/deployments"), *self.box.api.items("/api/v1/namespaces")]

    def restarted(self) -> list[str]:
        return [item.place for item in restarts_of(self.box)]


@pytest.fixture(scope="module")
def world(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> World:
    sandbox.with_mesh()
    shut, wide = f"daily {clock(5)}-{clock(9)} UTC", f"daily {clock(-5)}-{clock(5)} UTC"
    today = datetime.now(UTC).date()
    around_now = f"{today - timedelta(days=2)}..{today + timedelta(days=2)} UTC"
    places = {name: namespace(name, injected=False) for name in PLACES}
    noted(places["vault"], restart="never", restart_reason="the bank decides")
    for item in places.values():
        apply(sandbox.api, item)
    for item in (
        deployment("demo", "first", replicas=1, labels={"sandbox.sohistio/slow": "6s"}),
        noted(deployment("till", "open", replicas=1), restart_windows=wide),
        noted(deployment("till", "shut", replicas=1), restart_windows=shut),
        noted(deployment("till", "frozen", replicas=1), restart_freezes=around_now, restart_reason="stocktaking"),
        noted(deployment("till", "never", replicas=1), restart="never"),
        noted(deployment("till", "odd", replicas=1), restart_windows=HOSTILE),
        deployment("till", "late", replicas=1),
        deployment("vault", "ledger", replicas=1),
        *(deployment("hall", f"h{number}", replicas=1) for number in range(5)),
    ):
        apply(sandbox.api, item)
    keys = {"order": {"canary": ["demo"], "namespaces": ["till"]}, "optOut": [{"name": "hall/h0", "reason": "by hand"}]}
    flags = own_environments(tmp_path_factory.mktemp("own"), restarts=keys)
    done = sandbox.run("install", *flags, "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    for name, count in {"demo": 1, "till": 6, "vault": 1, "hall": 5}.items():
        await_running(sandbox.api, name, count)
        by_hand(sandbox, path_of(namespace(name)), {"labels": {"istio-injection": "enabled"}})
    return World(sandbox, flags)


def hold_the_canary(world: World) -> None:
    """Its new pod is slow, so that the others had time to start; meanwhile somebody forbids one of them."""
    await_step(world.box, "sidecars/restart-canary")
    while world.restarted() == []:
        time.sleep(0.1)
    time.sleep(1)
    assert world.restarted() == ["demo/first"]
    by_hand(world.box, path_of(deployment("till", "late")), {"annotations": {"sohistio.io/restart": "never"}})


def test_a_share_is_the_one_that_the_hashes_give(world: World) -> None:
    planned = world.box.run("plan", *world.flags, "--output", "json", "--limit", "40%")
    assert planned.returncode == 0, planned.stderr
    left = {f"{i['namespace']}/{i['name']}" for i in json.loads(planned.stdout)["heldBack"] if i["why"] == "limit"}
    deployments = [item["metadata"] for item in world.box.api.items("/apis/apps/v1/deployments")]
    everything = [f"{i['namespace']}/Deployment/{i['name']}" for i in deployments if i["namespace"] in PLACES]
    everything.sort(key=lambda name: hashlib.sha256(name.encode()).hexdigest())
    assert len(everything) == 13
    allowed = {"demo/first", "till/open", "till/late", *(f"hall/h{number}" for number in range(1, 5))}
    picked = {name.replace("/Deployment/", "/") for name in everything[:6]}  # 40 % of 13, rounded up
    assert left == allowed - picked
    assert world.restarted() == []


def test_the_policy_holds_from_the_canary_to_the_end(world: World) -> None:
    box = world.box
    with meanwhile(lambda: hold_the_canary(world)):
        result = world.restart()
    steps = [(step["id"], step["state"]) for step in result["steps"]]
    assert steps == [
        ("sidecars/restart-canary", "done"),
        ("sidecars/restart-in-till", "done"),
        ("sidecars/restart", "done"),
        ("verify/mesh", "done"),
    ]
    assert sorted(world.restarted()) == ["demo/first", "hall/h1", "hall/h2", "hall/h3", "hall/h4", "till/open"]
    assert world.restarted()[:2] == ["demo/first", "till/open"]
    held = {f"{item['namespace']}/{item['name']}": item for item in result["plan"]["heldBack"]}
    assert {name: item["why"] for name, item in held.items()} == {
        "hall/h0": "optOut",
        "till/frozen": "freeze",
        "till/never": "optOut",
        "till/odd": "annotation",
        "till/shut": "window",
        "vault/ledger": "optOut",
    }
    assert held["vault/ledger"]["reason"].endswith("the annotation of namespace vault: the bank decides")
    opens = datetime.fromisoformat(held["till/shut"]["opens"].replace("Z", "+00:00"))
    assert timedelta(hours=3) < opens - datetime.now(UTC) < timedelta(hours=6)
    assert held["till/frozen"]["reason"].startswith("frozen (")
    words = [check["message"] for check in result["checks"] if check["name"] == "sidecars-current"]
    assert {check["severity"] for check in result["checks"] if check["name"] == "sidecars-current"} == {"warning"}
    assert any("till/late" in line and "opted out of restarts" in line for line in words), words
    assert any("outside its window; opens " in line and "till/shut" in line for line in words), words
    assert not any("sohistio.io" in check["message"] for check in result["checks"] if "analyze" in check["name"])
    assert violations(restarts_of(box), world.objects()) == []


def test_what_waits_fails_nothing_and_is_named(world: World) -> None:
    before = world.restarted()
    verified = world.box.run("verify", *world.flags)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert "Deployment till/shut" in verified.stdout
    again = world.box.run("restart", *world.flags, "--yes")
    assert again.returncode == 0, again.stderr
    assert "local: 7 workloads are not restarted now, nothing was written" in again.stdout
    assert "Deployment till/odd: annotation sohistio.io/restart-windows has 'at night " in again.stdout
    assert "##vso" not in again.stdout
    assert world.restarted() == before


def test_on_call_windows_and_freezes_give_way_and_opt_outs_do_not(world: World) -> None:
    before = world.restarted()
    refused = world.box.run("restart", *world.flags, "--yes", "--outside-windows")
    assert (refused.returncode, "--reason" in refused.stderr) == (2, True)
    assert world.restarted() == before
    result = world.restart("--outside-windows", "--reason", "INC-4711")
    assert result["run"]["reason"] == "INC-4711"
    assert sorted(world.restarted()[len(before) :]) == ["till/frozen", "till/shut"]
    found = violations(restarts_of(world.box), world.objects())
    assert {line.partition(" ")[0] for line in found} == {"till/frozen", "till/shut"}, "the checker sees what it should"
    assert not any("opted out" in line for line in found)
