"""Injection labels on a real cluster: set, left alone, refused, taken away with approval, and what follows of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from own_environments import own_environments
from sandboxes import Sandbox
from workloads import apply, await_running, deployment, namespace, pods_of

pytestmark = pytest.mark.e2e

LOCAL = ("--env", "local")
INJECTION = "istio-injection"


def labels(box: Sandbox, name: str) -> dict[str, str]:
    found = box.api.get(f"/api/v1/namespaces/{name}")
    assert found is not None
    return {key: value for key, value in found["metadata"]["labels"].items() if key.startswith("istio")}


def label(box: Sandbox, name: str, key: str, value: str) -> None:
    """As `kubectl label` does it."""
    query, body = {"fieldManager": "kubectl-label"}, {"metadata": {"labels": {key: value}}}
    kind = "application/merge-patch+json"
    box.api.request("PATCH", f"/api/v1/namespaces/{name}", query=query, body=body, content_type=kind)


def proxies(box: Sandbox, place: str) -> list[bool]:
    """Whether each pod of a namespace carries a sidecar."""
    return [
        any(c["name"] == "istio-proxy" for c in [*pod["spec"]["containers"], *pod["spec"].get("initContainers", ())])
        for pod in pods_of(box.api, place)
    ]


def planned(box: Sandbox, *flags: str) -> dict[str, Any]:
    done = box.run("plan", *flags, "--output", "json")
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def step_ids(plan: dict[str, Any]) -> list[str]:
    return [step["id"] for phase in plan["phases"] for step in phase["steps"]]


def in_sync(box: Sandbox, *flags: str) -> None:
    before = box.writes()
    done = box.run("install", *flags)
    assert (done.returncode, "nothing was written" in done.stdout) == (0, True), done.stdout + done.stderr
    assert box.writes() == before


@pytest.fixture(scope="module")
def meshed(sandbox: Sandbox) -> Sandbox:
    """A first install of an environment that lists shop (not labelled yet), media (labelled by its team), payments
    (not there)."""
    sandbox.reset()
    apply(sandbox.api, namespace("shop", injected=False))
    apply(sandbox.api, namespace("media"))
    apply(sandbox.api, namespace("plain", injected=False))
    apply(sandbox.api, deployment("shop", "web"))
    apply(sandbox.api, deployment("plain", "outside"))
    await_running(sandbox.api, "shop", 2)
    await_running(sandbox.api, "plain", 2)
    plan = planned(sandbox, *LOCAL)
    ids = step_ids(plan)
    assert ids.index("control-plane/await") < ids.index("namespaces/label") < ids.index("sidecars/restart")
    (label,) = (step for phase in plan["phases"] for step in phase["steps"] if step["id"] == "namespaces/label")
    assert label["objects"] == [{"kind": "Namespace", "namespace": "", "name": "shop"}]
    restart = next(step for phase in plan["phases"] for step in phase["steps"] if step["id"] == "sidecars/restart")
    assert [item["name"] for item in restart["workloads"]] == ["web"]
    assert any("namespace payments does not exist" in notice for notice in plan["notices"])
    done = sandbox.run("install", *LOCAL)
    assert done.returncode == 0, done.stdout + done.stderr
    return sandbox


def test_a_listed_namespace_is_labelled_and_its_workloads_get_sidecars(meshed: Sandbox) -> None:
    assert labels(meshed, "shop") == {INJECTION: "enabled"}
    assert proxies(meshed, "shop") == [True, True]
    assert labels(meshed, "plain") == {}
    assert proxies(meshed, "plain") == [False, False]
    assert not any("namespaces/media" in write and write.startswith("patch") for write in meshed.writes())
    in_sync(meshed, *LOCAL)


def test_one_that_comes_later_is_labelled_by_the_next_install(meshed: Sandbox) -> None:
    apply(meshed.api, namespace("payments", injected=False))
    apply(meshed.api, deployment("payments", "ledger"))
    await_running(meshed.api, "payments", 2)
    plan = planned(meshed, *LOCAL)
    assert (plan["mode"], step_ids(plan)) == ("none", ["namespaces/label", "sidecars/restart", "verify/mesh"])
    (row,) = json.loads(meshed.run("status", *LOCAL, "--output", "json").stdout)["environments"]
    assert (row["inSync"], row["pending"]) == (False, "namespaces and restarts")
    assert meshed.run("plan", *LOCAL, "--exit-code").returncode == 4
    done = meshed.run("install", *LOCAL)
    assert done.returncode == 0, done.stdout + done.stderr
    assert proxies(meshed, "payments") == [True, True]
    in_sync(meshed, *LOCAL)


@pytest.mark.parametrize(("key", "value"), [(INJECTION, "disabled"), ("istio.io/rev", "canary")])
def test_a_label_that_somebody_set_on_purpose_stops_the_run(
    meshed: Sandbox, tmp_path: Path, key: str, value: str
) -> None:
    name = f"set-to-{value}"
    flags = own_environments(tmp_path, applicationNamespaces=["shop", "payments", "media", name])
    apply(meshed.api, namespace(name, injected=False))
    try:
        label(meshed, name, key, value)
        before = meshed.writes()
        plan = meshed.run("plan", *flags)
        assert plan.returncode == 3
        refused = meshed.run("install", *flags, "--yes")
        assert refused.returncode == 3
        said = f"namespace {name} is to be injected, but carries {key}={value}, set by kubectl-label"
        assert said in refused.stderr.replace("\n", " ")
        assert f"kubectl label namespace NAME {key}-" in refused.stderr.replace("\n", " ")
        assert meshed.writes() == before
    finally:
        meshed.api.delete(f"/api/v1/namespaces/{name}")


def test_revision_default_counts_as_injected(meshed: Sandbox, tmp_path: Path) -> None:
    flags = own_environments(tmp_path, applicationNamespaces=["shop", "payments", "media", "tagged"])
    apply(meshed.api, namespace("tagged", injected=False))
    label(meshed, "tagged", "istio.io/rev", "default")
    in_sync(meshed, *flags)
    assert labels(meshed, "tagged") == {"istio.io/rev": "default"}


def test_a_namespace_that_is_being_deleted_is_left_alone(meshed: Sandbox, tmp_path: Path) -> None:
    flags = own_environments(tmp_path, applicationNamespaces=["shop", "payments", "media", "ending"])
    apply(meshed.api, namespace("ending", injected=False))
    holding = {"metadata": {"name": "holds", "finalizers": ["example.com/hold"]}}
    path = "/api/v1/namespaces/ending/configmaps"
    meshed.api.create(path, {"apiVersion": "v1", "kind": "ConfigMap"} | holding)
    meshed.api.delete("/api/v1/namespaces/ending")
    try:
        assert "namespace ending is being deleted and is left alone" in planned(meshed, *flags)["notices"]
        in_sync(meshed, *flags)
    finally:
        meshed.api.merge_patch(f"{path}/holds", {"metadata": {"finalizers": None}})


def test_a_namespace_no_longer_listed_is_unlabelled_with_approval_only(meshed: Sandbox, tmp_path: Path) -> None:
    fewer = own_environments(tmp_path, applicationNamespaces=["shop"])
    shared = namespace("shared")
    shared["metadata"]["labels"] = None
    apply(meshed.api, shared)
    ours = {"metadata": {"labels": {INJECTION: "enabled"}}}
    meshed.api.merge_patch("/api/v1/namespaces/shared", ours)
    meshed.api.apply("/api/v1/namespaces/shared", namespace("shared"), "argocd-controller")
    plan = planned(meshed, *fewer)
    assert step_ids(plan) == ["namespaces/unlabel", "verify/mesh"]
    assert [ref["name"] for ref in plan["phases"][0]["steps"][0]["objects"]] == ["payments"], "not theirs"
    assert any("keep their sidecars until they are restarted" in notice for notice in plan["notices"])

    before = meshed.writes()
    refused = meshed.run("install", *fewer)
    assert refused.returncode == 3
    assert "this plan takes sidecar injection away from namespace payments" in refused.stderr.replace("\n", " ")
    protected = own_environments(tmp_path, applicationNamespaces=["shop"], protected=True)
    unnamed = meshed.run("install", *protected, "--yes")
    assert (unnamed.returncode, "--confirm local" in unnamed.stderr) == (3, True)
    assert meshed.writes() == before

    done = meshed.run("install", *protected, "--yes", "--confirm", "local")
    assert done.returncode == 0, done.stdout + done.stderr
    assert labels(meshed, "payments") == {}
    assert labels(meshed, "media") == {INJECTION: "enabled"}
    assert proxies(meshed, "payments") == [True, True], "nothing is restarted"
    in_sync(meshed, *fewer)


def test_an_uninstall_keeps_our_labels_and_a_purge_takes_them(meshed: Sandbox) -> None:
    kept = meshed.run("uninstall", *LOCAL, "--yes", "--with-sidecars")
    assert kept.returncode == 0, kept.stdout + kept.stderr
    assert "the label istio-injection of shop" in kept.stdout
    assert labels(meshed, "shop") == {INJECTION: "enabled"}
    purged = meshed.run("uninstall", *LOCAL, "--yes", "--with-sidecars", "--purge", "--confirm", "local")
    assert purged.returncode == 0, purged.stdout + purged.stderr
    assert labels(meshed, "shop") == {}
    assert labels(meshed, "media") == {INJECTION: "enabled"}, "labelled by others"
