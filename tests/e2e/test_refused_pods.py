"""Where new pods do not start, or lose their sidecars, nothing is restarted: what runs keeps running, and is named."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from injection_off import HOOKS, bare, without_sidecars
from own_environments import own_environments
from policy_engine import PolicyEngine
from sandboxes import Sandbox
from sohistio.adapters.kubernetes.paths import path_of
from sohistio.adapters.kubernetes.trouble import why_not_ready
from sohistio.model.state import ObjectRef
from sohistio.system.certificates import Authority
from watching import watching
from webhook_server import serving
from workloads import apply, daemon_set, deployment, namespace, pods_of, quota

pytestmark = pytest.mark.e2e

PLACE, NARROW, LATER, STRIPPED, DENIED = "refused", "narrow", "later", "stripped", "denied"
SCANNER = f"{HOOKS}/scanner".replace("mutating", "validating")
SLOW = {"sandbox.sohistio/slow": "2s"}
NAMED = f"DaemonSet {PLACE}/on-nodes, Deployment {PLACE}/recreated, Deployment {PLACE}/rolling"
RECREATED = {"strategy": {"type": "Recreate"}}


@pytest.fixture(scope="module")
def meshed(sandbox: Sandbox) -> Sandbox:
    """A mesh, and a namespace whose workloads started without sidecars, and take old pods down before new ones."""
    sandbox.with_mesh()
    items = [deployment(PLACE, "recreated", replicas=1, **RECREATED), deployment(PLACE, "rolling", replicas=1)]
    without_sidecars(sandbox, PLACE, [*items, daemon_set(PLACE, "on-nodes")])
    return sandbox


def said(box: Sandbox, *words: str, code: int = 0) -> str:
    done = box.run(*words, "--env", "local")
    assert done.returncode == code, done.stdout + done.stderr
    return " ".join((done.stdout + done.stderr).split())


def uids(box: Sandbox, place: str) -> set[str]:
    """Those of the pods that stay."""
    return {pod["metadata"]["uid"] for pod in pods_of(box.api, place) if "deletionTimestamp" not in pod["metadata"]}


@contextmanager
def dead_webhook(box: Sandbox, place: str = PLACE) -> Iterator[None]:
    """Somebody's, asked about new pods of the namespace; its Service is gone."""
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
    hook = {
        "name": "scan.example.com",
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "clientConfig": {"service": {"namespace": "scanner", "name": "gone"}},
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": place}},
        "rules": [rule],
    }
    kind = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration"}
    box.api.create(SCANNER.rpartition("/")[0], kind | {"metadata": {"name": "scanner"}, "webhooks": [hook]})
    try:
        yield
    finally:
        box.api.delete(SCANNER)


def somebody_rolls(box: Sandbox, name: str) -> None:
    """Whose new pods are refused: the rollout hangs."""
    patch = {"spec": {"template": {"metadata": {"annotations": {"somebody": "was-here"}}}}}
    place, _, rest = name.partition("/")
    box.api.merge_patch(f"/apis/apps/v1/namespaces/{place}/{rest}", patch)


def test_behind_a_dead_webhook_every_pod_keeps_running(meshed: Sandbox) -> None:
    before = uids(meshed, PLACE)
    why = "a restart would not bring all its pods up: the admission webhook scan.example.com fails"
    with dead_webhook(meshed):
        time.sleep(1)  # the API server reads its webhooks a little later
        somebody_rolls(meshed, f"{PLACE}/deployments/rolling")
        assert why in said(meshed, "plan")
        writes = len(meshed.writes())
        assert why in said(meshed, "restart", "--yes")
        assert not [line for line in meshed.writes()[writes:] if f"/namespaces/{PLACE}/" in line]
        verified = said(meshed, "verify", code=5)
        assert f"without a sidecar: {NAMED}: {why}" in verified
        checks = json.loads(meshed.run("check", "--env", "local", "--output", "json").stdout)["checks"]
        (found,) = [item for item in checks if item["name"] == "pod-webhooks"]
        assert (found["severity"], found["message"]) == (
            "warning",
            "ValidatingWebhookConfiguration scanner calls Service scanner/gone, which does not exist: no pod can be "
            f"created in Namespace {PLACE}",
        )
        assert uids(meshed, PLACE) == before


def test_over_a_quota_every_pod_keeps_running_and_later_all_are_restarted(meshed: Sandbox) -> None:
    before = uids(meshed, PLACE)
    small = quota(meshed.api, PLACE, "small", pods="1")
    assert "would not bring all its pods up: the quota small leaves no room for a pod" in said(
        meshed, "restart", "--yes"
    )
    assert uids(meshed, PLACE) == before
    meshed.api.delete(small)
    said(meshed, "restart", "--yes")
    assert bare(meshed, PLACE) == []
    said(meshed, "verify")


def test_room_for_one_new_pod_is_not_room_for_all(meshed: Sandbox) -> None:
    """Recreate takes all three down; the quota has room for two of them with sidecars."""
    items = [deployment(NARROW, "recreated", replicas=3, **RECREATED), deployment(NARROW, "small", replicas=1)]
    for item in items:
        item["spec"]["template"]["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "10m"}}
    without_sidecars(meshed, NARROW, items)
    tight = quota(meshed.api, NARROW, "tight", requests_cpu="280m")
    told = said(meshed, "restart", "--yes")
    why = "the quota tight has no room for the sidecars of all its pods (requests.cpu: 300m more, 240m left)"
    assert f"Deployment {NARROW}/recreated: a restart would not bring all its pods up: {why}" in told
    assert bare(meshed, NARROW) == ["recreated"]
    assert len(uids(meshed, NARROW)) == 4
    assert f"without a sidecar: Deployment {NARROW}/recreated" in said(meshed, "verify", code=5)
    meshed.api.delete(tight)
    said(meshed, "restart", "--yes")
    assert bare(meshed, NARROW) == []


def test_a_webhook_that_dies_while_restarts_go_on_leaves_nobody_without_a_pod(meshed: Sandbox, tmp_path: Path) -> None:
    """Each takes its only pod down before the new one: as soon as that would be refused, no other one begins."""
    names = [f"w{number}" for number in range(5)]
    without_sidecars(meshed, LATER, [deployment(LATER, name, replicas=1, labels=SLOW, **RECREATED) for name in names])
    flags = own_environments(tmp_path, restarts={"parallel": 1, "maxFailures": 1, "timeout": "30s"})
    with ExitStack() as stack:

        def die_after_the_first() -> None:
            is_up = len(bare(meshed, LATER)) == 4 and len(pods_of(meshed.api, LATER)) == 5
            if is_up and not meshed.api.get(SCANNER):
                stack.enter_context(dead_webhook(meshed, LATER))

        with watching(die_after_the_first):
            broken = meshed.run("restart", *flags, "--yes")
        told = " ".join((broken.stdout + broken.stderr).split())
        assert broken.returncode in (1, 5), told  # 1 where another one had begun
        assert (
            "not restarted, a restart would not bring all its pods up: the admission webhook scan.example.com" in told
        )
        running = {pod["metadata"]["labels"]["app"] for pod in pods_of(meshed.api, LATER)}
        assert len(running) >= 4, "but for the one that had begun"
    done = meshed.run("restart", *flags, "--yes")
    assert (done.returncode, bare(meshed, LATER)) == (0, []), done.stderr


def test_who_strips_real_pods_and_lets_dry_runs_pass_gets_two_restarts_and_no_more(
    meshed: Sandbox, tmp_path: Path
) -> None:
    without_sidecars(meshed, STRIPPED, 6)
    flags = own_environments(tmp_path, restarts={"parallel": 2, "proxiesPerSecond": 1})
    authority = Authority("policy engine")
    with PolicyEngine(serving(authority, tmp_path), authority.certificate) as engine:
        engine.strips = engine.spares_dry_runs = True
        meshed.api.create(HOOKS, engine.configuration(STRIPPED))
        time.sleep(1)

        def restart() -> tuple[int, str, int]:
            before = len(meshed.writes())
            done = meshed.run("restart", *flags, "--yes")
            asked = [line for line in meshed.writes()[before:] if f"/{STRIPPED}/deployments/" in line]
            return done.returncode, " ".join((done.stdout + done.stderr).split()), len(asked)

        for most in (5, 1):  # what has lost nothing yet does not begin before the second try is up
            code, told, asked = restart()
            assert (code, "came up without a sidecar" in told, asked <= most) == (1, True, True), told
        code, told, asked = restart()
        assert (code, asked) == (0, 0), told
        assert "new pods get no sidecar there, although a dry run gives them one: Deployment stripped/w0" in told
        assert "without a sidecar: Deployment stripped/w0" in said(meshed, "verify", code=5)

        engine.strips = False
        shown_by: dict[str, Any] = pods_of(meshed.api, STRIPPED, "w0")[0]
        meshed.api.delete(f"/api/v1/namespaces/{STRIPPED}/pods/{shown_by['metadata']['name']}")
        for _ in range(100):
            if "w0" not in bare(meshed, STRIPPED) and pods_of(meshed.api, STRIPPED, "w0"):
                break
            time.sleep(0.1)
        code, told, _ = restart()
        assert (code, bare(meshed, STRIPPED)) == (0, []), told
        meshed.api.delete(f"{HOOKS}/zz-policy")


def test_a_replacement_is_refused_while_no_new_istiod_would_be_taken(meshed: Sandbox, tmp_path: Path) -> None:
    """By a webhook that is called by a URL: nothing in the cluster tells that it would deny."""
    replacing = ("--version", "1.30.5", "--mode", "reinstall")
    authority = Authority("policy engine")
    with PolicyEngine(serving(authority, tmp_path), authority.certificate) as engine:
        engine.denies = "no owner is named"
        meshed.api.create(HOOKS, engine.configuration("istio-system"))
        time.sleep(1)
        before = meshed.writes()
        try:
            told = said(meshed, "install", *replacing, "--yes", code=3)
            checks = json.loads(meshed.run("check", "--env", "local", *replacing, "--output", "json").stdout)["checks"]
            after = meshed.writes()
        finally:
            meshed.api.delete(f"{HOOKS}/zz-policy")
    assert after == before
    assert "uninstall Istio 1.31.1" in told, "it is a replacement"
    of_mesh = [item["message"] for item in checks if item["name"] == "mesh-pods"]
    asked = ("istiod can be", "istio-ingressgateway can be", "istio-egressgateway can be")
    assert [any(f"no new pod of {name}" in message for message in of_mesh) for name in asked] == [True] * 3
    denied = 'admission webhook "policy.example.com" denied the request: no owner is named'
    assert "no new istiod would come once the plan has uninstalled the old one" in told
    assert denied in told
    assert all(denied in message for message in of_mesh)


def test_why_no_pod_comes_up_is_what_was_said_last(meshed: Sandbox, tmp_path: Path) -> None:
    """The first pod lacks its service account; once that is there, a webhook denies the next ones."""
    web = deployment(DENIED, "web", replicas=1)
    web["spec"]["template"]["spec"]["serviceAccountName"] = "later"
    ref, authority = ObjectRef("Deployment", DENIED, "web"), Authority("policy engine")

    def await_reason(words: str) -> tuple[str, ...]:
        for _ in range(200):
            if words in " ".join(found := why_not_ready(meshed.api, ref)):
                return found
            time.sleep(0.1)
        raise AssertionError(found)

    meshed.api.create("/api/v1/namespaces", namespace(DENIED))
    apply(meshed.api, web)
    await_reason('serviceaccount "later" not found')
    with PolicyEngine(serving(authority, tmp_path), authority.certificate) as engine:
        engine.denies = "no owner is named"
        meshed.api.create(HOOKS, engine.configuration(DENIED))
        time.sleep(1)
        meshed.api.create(f"/api/v1/namespaces/{DENIED}/serviceaccounts", {"metadata": {"name": "later"}})
        try:
            found = await_reason('admission webhook "policy.example.com" denied the request: no owner is named')
        finally:
            meshed.api.delete(f"{HOOKS}/zz-policy")
    assert "not found" not in " ".join(found)
    live = meshed.api.get(path_of(ref))
    assert live is not None
    assert "not found" in str(live["status"]["conditions"]), "the condition keeps what was said first"
