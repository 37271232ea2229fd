"""Upgrades of a cluster that is in use: many workloads, stale plans, gateways that go on serving, and the way back."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from pathlib import Path

import pytest
import yaml

from killing import LOCAL, await_said, await_step, kept, last_run, meanwhile, route, settle, sidecars
from sandboxes import CHECKOUT, Sandbox
from sohistio.adapters.kubernetes.api import KubeError
from sohistio.adapters.kubernetes.lease import LEASE_REF, unlock
from sohistio.adapters.kubernetes.paths import collection_path, path_of
from sohistio.model.mode import Mode
from workloads import apply, await_running, deployment, pods_of

pytestmark = pytest.mark.e2e

OLD, OLDER = ("--version", "1.30.5"), ("--version", "1.29.8")
PLACES = ("shop", "payments", "media", "search", "identity")


def test_thirty_workloads_a_stale_plan_and_a_lost_route(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.with_mesh(OLD[1])
    api = sandbox.api
    settle(sandbox, PLACES, each=6)
    before = kept(sandbox)
    approved = tmp_path / "plan.json"
    assert sandbox.run("plan", *LOCAL, "--out", str(approved)).returncode == 0
    apply(api, deployment("shop", "newcomer"))
    await_running(api, "shop", 14)
    writes = sandbox.writes()
    stale = sandbox.run("install", *LOCAL, "--plan", str(approved))
    assert stale.returncode == 3
    assert "plan.json is stale: the plan is another one now" in stale.stderr
    assert "  new: step sidecars/restart: Deployment shop/newcomer" in stale.stderr.splitlines()
    assert sandbox.writes() == writes

    assert sandbox.run("plan", *LOCAL, "--out", str(approved)).returncode == 0
    edited = tmp_path / "edited.json"
    for key, value in (("notices", ["all is well"]), ("reasons", []), ("targetVersion", "1.30.4")):
        edited.write_text(json.dumps(json.loads(approved.read_text()) | {key: value}))
        refused = sandbox.run("install", *LOCAL, "--plan", str(edited))
        assert (refused.returncode, "edited.json was edited" in refused.stderr) == (2, True), refused.stderr
    assert sandbox.writes() == writes

    def lose_a_route() -> None:
        await_step(sandbox, "sidecars/restart")
        api.delete(api.path_of(route("media")))

    with meanwhile(lose_a_route):
        run = sandbox.run("install", *LOCAL, "--plan", str(approved), "--output", "json")
    assert run.returncode == 5, run.stdout + run.stderr
    result = json.loads(run.stdout)
    assert result["outcome"] == "verificationFailed"
    failed = [check for check in result["checks"] if check["result"] == "failed" and check["severity"] == "error"]
    assert [check["name"] for check in failed] == ["custom-resources-unchanged"]
    assert failed[0]["message"] == "VirtualService media/web is gone"
    assert set(result["gatewaySecondsWithoutReadyPod"].values()) == {0.0}
    assert sidecars(sandbox, PLACES) == {"1.31.1"}
    assert sum(len(pods_of(api, place)) for place in PLACES) == 62

    entry = last_run(sandbox)
    assert entry is not None
    assert sandbox.run("restore", *LOCAL, "--backup", entry.backup, "--yes").returncode == 0
    assert kept(sandbox) == before
    assert sandbox.run("verify", *LOCAL).returncode == 0


def crashing_gateway(folder: Path) -> tuple[str, str]:
    """The environments, with an ingress gateway in `local` whose new pods crash."""
    copy = shutil.copytree(CHECKOUT / "environments", folder / "environments")
    patch = {"path": r"spec.template.metadata.labels.sandbox\.sohistio/trouble", "value": "crash"}
    name = "istio-ingressgateway"
    overlay = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name, "patches": [patch]}
    operator = {"spec": {"components": {"ingressGateways": [{"name": name, "k8s": {"overlays": [overlay]}}]}}}
    (copy / "local" / "istiooperator.yaml").write_text(yaml.safe_dump(operator))
    return ("--environments", str(copy))


def test_a_hung_upgrade_and_the_rollback_target(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.with_mesh(OLD[1])
    settle(sandbox, PLACES[:2], each=1)
    before = kept(sandbox)
    hanging = (*crashing_gateway(tmp_path), "--component-timeout", "8s")

    went_back = sandbox.run("install", *LOCAL, *hanging, "--rollback-on-failure", "--output", "json")
    assert went_back.returncode == 1, went_back.stderr
    result = json.loads(went_back.stdout)
    assert result["error"]["what"] == "istio-ingressgateway not ready within 8 s"
    assert "container istio-proxy: CrashLoopBackOff" in "\n".join(result["error"]["details"])
    assert "Rolling back, as --rollback-on-failure asks." in went_back.stderr
    rollback = result["rollback"]
    assert (rollback["outcome"], rollback["plan"]["mode"]) == ("done", "rollback")
    assert set(rollback["gatewaySecondsWithoutReadyPod"].values()) == {0.0}
    is_back(sandbox, before)

    hung = sandbox.run("install", *LOCAL, *hanging)
    assert hung.returncode == 1, hung.stdout + hung.stderr
    assert "Error: istio-ingressgateway not ready within 8 s." in hung.stderr
    shown = sandbox.run("rollback", *LOCAL, "--plan", "--output", "json")
    assert (shown.returncode, json.loads(shown.stdout)["mode"]) == (0, "rollback"), shown.stderr
    back = sandbox.run("rollback", *LOCAL)
    assert back.returncode == 0, back.stdout + back.stderr
    assert "back to 1.30.5, the recorded version and manifest" in back.stdout
    assert "local: Istio 1.30.5 is in place and verified" in back.stdout
    is_back(sandbox, before)

    nowhere = sandbox.run("rollback", *LOCAL)
    assert nowhere.returncode == 3
    assert "the record has nothing to go back to" in nowhere.stderr


def is_back(sandbox: Sandbox, before: object) -> None:
    assert kept(sandbox) == before
    assert sidecars(sandbox, PLACES[:2]) == {"1.30.5"}
    assert json.loads(sandbox.run("plan", *LOCAL, *OLD, "--output", "json").stdout)["phases"] == []
    assert sandbox.run("verify", *LOCAL, *OLD).returncode == 0


@pytest.fixture
def old_mesh(sandbox: Sandbox) -> Sandbox:
    """The mesh that the story before has rolled back, with its workloads; made anew where that story did not run."""
    run = last_run(sandbox)
    if run is None or run.mode is not Mode.ROLLBACK or len(pods_of(sandbox.api, PLACES[0])) != 2:
        sandbox.with_mesh(OLD[1])
        settle(sandbox, PLACES[:1], each=1)
    return sandbox


def test_a_cluster_that_changes_between_plan_and_lock(old_mesh: Sandbox, tmp_path: Path) -> None:
    """While a run waits for the lock a workload comes that it would have to restart."""
    sandbox, api = old_mesh, old_mesh.api
    said = tmp_path / "said"
    with said.open("wb") as output:
        run = subprocess.Popen(
            sandbox.command("install", *LOCAL, "--yes"),
            cwd=CHECKOUT,
            env=sandbox.environ(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            await_said(said, "comparing the manifest", 60)
            lease = {"holderIdentity": "ada@elsewhere run 1", "renewTime": "2026-11-23T05:00:00.000000Z"}
            hold(sandbox, lease)
            await_said(said, "the lock is held by ada@elsewhere run 1", 60)
            apply(api, deployment("shop", "newcomer"))
            await_running(api, "shop", 4)
            writes = sandbox.writes()
            unlock(api, "a test")
            assert run.wait(60) == 3
        finally:
            run.kill()
            run.wait()
    told = said.read_text()
    assert "Error: the cluster changed between the plan and the run." in told
    assert "  new: step sidecars/restart: Deployment shop/newcomer" in told.splitlines()
    assert [write for write in sandbox.writes()[len(writes) :] if "leases" not in write] == []


def hold(sandbox: Sandbox, spec: dict[str, str]) -> None:
    try:
        sandbox.api.merge_patch(path_of(LEASE_REF), {"spec": spec})
    except KubeError:
        body = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": LEASE_REF.name}}
        sandbox.api.create(collection_path("Lease", LEASE_REF.namespace), body | {"spec": spec})


def gateway_pods(sandbox: Sandbox) -> set[str]:
    pods = pods_of(sandbox.api, "istio-system", "istio-ingressgateway")
    return {pod["metadata"]["uid"] for pod in pods}


def test_a_replacement_keeps_the_gateways_serving(sandbox: Sandbox) -> None:
    """The same pods until the new version's install rolls them; one is ready all the time."""
    sandbox.with_mesh(OLDER[1])
    settle(sandbox, PLACES[:1], each=1)
    before, pods = kept(sandbox), gateway_pods(sandbox)
    while_away: list[set[str]] = []
    istiod = "/apis/apps/v1/namespaces/istio-system/deployments/istiod"

    def watch() -> None:
        """From the removal until the install has made istiod again, whichever step is written down by then."""
        await_step(sandbox, "old-control-plane/uninstall")
        while (run := last_run(sandbox)) is not None and run.outcome == "running":
            found = gateway_pods(sandbox)
            if sandbox.api.get(istiod) is None:
                while_away.append(found)
            elif while_away:
                return
            time.sleep(0.05)

    with meanwhile(watch):
        done = sandbox.run("install", *LOCAL, "--yes", "--output", "json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert while_away, "istiod was away"
    assert all(uids == pods for uids in while_away)
    assert not gateway_pods(sandbox) & pods, "rolled by the install"
    gaps = json.loads(done.stdout)["gatewaySecondsWithoutReadyPod"]
    assert gaps == {"istio-ingressgateway": 0.0, "istio-egressgateway": 0.0}
    assert "istio-ingressgateway: a pod was ready all the time" in done.stderr
    assert kept(sandbox) == before
