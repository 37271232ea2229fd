"""Taking the mesh away, as a user types it: refused while sidecars run, what stays, the way back, and the purge."""

from __future__ import annotations

import json
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from every_kind import create, definitions, insist, of_gateway_api, of_istio
from json_schemas import check
from sandboxes import Sandbox
from sohistio.adapters.kubernetes.custom_resources import custom_resources, digests
from workloads import apply, await_running, budget, deployment, namespace

pytestmark = pytest.mark.e2e

LOCAL = ("--env", "local")
ROUTES = "/apis/networking.istio.io/v1/namespaces/shop/virtualservices"
MESH = "/api/v1/namespaces/istio-system"
WEBHOOKS = "/apis/admissionregistration.k8s.io/v1"
ROOTS = "/api/v1/configmaps"
PHRASE = "correct horse battery"
# The CRDs of this test are no release of the Gateway API, and one of its classes is named as AKS's.
GATEWAY_API = ("--skip-check", "gateway-api-crds", "--skip-check", "application-routing")


@pytest.fixture
def meshed(sandbox: Sandbox) -> Sandbox:
    """Istio 1.30.5, which is not what the environment asks for; a workload with sidecars, a route, one of each kind."""
    sandbox.with_mesh("1.30.5")
    apply(sandbox.api, namespace("shop"))
    apply(sandbox.api, deployment("shop", "web"))
    route: dict[str, Any] = {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"hosts": ["example.com"], "http": [{"directResponse": {"status": 204}}]},
    }
    sandbox.api.request("POST", ROUTES, body=route)
    create(sandbox, *of_istio("shop"))
    await_running(sandbox.api, "shop", 2)
    return sandbox


def names(sandbox: Sandbox, path: str, **selectors: str) -> set[str]:
    return {item["metadata"]["name"] for item in sandbox.api.items(path, **selectors)}  # type: ignore[arg-type]


def with_proxy(sandbox: Sandbox) -> list[str]:
    """Running pods with a proxy, beside the mesh's own gateways."""
    return [
        pod["metadata"]["name"]
        for pod in sandbox.api.items("/api/v1/pods")
        if "deletionTimestamp" not in pod["metadata"]
        and pod["metadata"]["namespace"] != "istio-system"
        and any(
            container["name"] == "istio-proxy"
            for container in [*pod["spec"]["containers"], *pod["spec"].get("initContainers", ())]
        )
    ]


def crds(sandbox: Sandbox) -> set[str]:
    found = names(sandbox, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions")
    return {name for name in found if name.endswith(".istio.io")}


def nothing_of_the_mesh_is_left(sandbox: Sandbox) -> bool:
    webhooks = [
        name
        for kind in ("mutatingwebhookconfigurations", "validatingwebhookconfigurations")
        for name in names(sandbox, f"{WEBHOOKS}/{kind}")
        if "istio" in name
    ]
    config_maps = names(sandbox, f"{MESH}/configmaps") - {"kube-root-ca.crt", "sohistio-record"}
    leases = names(sandbox, "/apis/coordination.k8s.io/v1/namespaces/istio-system/leases") - {"sohistio"}
    deployments = names(sandbox, "/apis/apps/v1/namespaces/istio-system/deployments")
    roots = names(sandbox, ROOTS, labels="istio.io/config=true")
    services = names(sandbox, f"{MESH}/services")
    assert (webhooks, config_maps, leases, deployments, roots, services) == ([], set(), set(), set(), set(), set())
    return True


def test_an_uninstall_keeps_what_the_next_install_takes_up_and_a_purge_leaves_a_backup_only(meshed: Sandbox) -> None:
    sandbox = meshed
    root = sandbox.api.get(f"{MESH}/configmaps/istio-ca-root-cert")
    secret = sandbox.api.get(f"{MESH}/secrets/istio-ca-secret")
    route = sandbox.api.get(f"{ROUTES}/web")
    assert root is not None
    assert secret is not None
    assert route is not None
    hand_made = budget("istio-system", "by-hand", minimum=1, selector={"app": "istiod"})
    apply(sandbox.api, hand_made)
    istios, resources = crds(sandbox), digests(custom_resources(sandbox.api))
    assert (len(istios), len(resources)) == (15, 16), "one of each, and the route"

    before = sandbox.writes()
    refused = sandbox.run("uninstall", *LOCAL, "--yes")
    assert refused.returncode == 3
    assert "Deployment shop/web: 2 pods" in refused.stderr
    assert "--with-sidecars" in refused.stderr
    shown = sandbox.run("uninstall", *LOCAL, "--plan", "--output", "json")
    assert shown.returncode == 3, "a plan that would be refused says so"
    assert check(shown.stdout, "Plan")["refusal"]
    unapproved = sandbox.run("uninstall", *LOCAL, "--with-sidecars")
    assert unapproved.returncode == 3
    assert "nobody approved it" in unapproved.stderr
    assert "kept: 15 CRDs with 16 custom resources, Secret istio-ca-secret, namespace istio-system" in unapproved.stdout
    assert sandbox.writes() == before, "a refusal writes nothing"

    gone = sandbox.run("uninstall", *LOCAL, "--with-sidecars", "--yes")
    assert gone.returncode == 0, gone.stdout + gone.stderr
    assert "uninstall Istio 1.30.5 with its own istioctl" in gone.stdout
    assert "--restart-workloads" in gone.stdout
    assert nothing_of_the_mesh_is_left(sandbox)
    assert names(sandbox, "/apis/policy/v1/namespaces/istio-system/poddisruptionbudgets") == set()
    assert crds(sandbox) == istios
    assert digests(custom_resources(sandbox.api)) == resources
    kept = sandbox.api.get(f"{MESH}/secrets/istio-ca-secret")
    assert kept is not None
    assert (kept["metadata"]["uid"], kept["data"]) == (secret["metadata"]["uid"], secret["data"])
    assert sandbox.api.get(f"{ROUTES}/web") == route
    assert len(with_proxy(sandbox)) == 2, "running pods are not touched"
    runs = json.loads(sandbox.run("history", *LOCAL, "--output", "json").stdout)["runs"]
    assert [(run["mode"], run["outcome"]) for run in runs] == [("install", "done"), ("uninstall", "done")]

    before = sandbox.writes()
    again = sandbox.run("uninstall", *LOCAL)
    assert (again.returncode, "nothing to uninstall, nothing was written" in again.stdout) == (0, True), again.stderr
    assert "--restart-workloads" in again.stdout
    assert sandbox.writes() == before

    restarted = sandbox.run("uninstall", *LOCAL, "--with-sidecars", "--restart-workloads", "--yes")
    assert restarted.returncode == 0, restarted.stdout + restarted.stderr
    assert with_proxy(sandbox) == []

    back = sandbox.run("install", *LOCAL)
    assert back.returncode == 0, back.stdout + back.stderr
    now = sandbox.api.get(f"{MESH}/configmaps/istio-ca-root-cert")
    assert now is not None
    assert now["data"] == root["data"]
    assert "16 custom resources as before" in back.stdout
    purged(sandbox)


def purged(sandbox: Sandbox) -> None:
    """The same mesh, now without the webhook that istioctl goes by, beside a Gateway API, and purged."""
    assert len(with_proxy(sandbox)) == 2
    served, others = of_gateway_api("shop")
    create(sandbox, *definitions(), *served, *others)
    for name in ("istio-sidecar-injector", "istio-revision-tag-default"):
        sandbox.api.delete(f"{WEBHOOKS}/mutatingwebhookconfigurations/{name}")
    everything = ("uninstall", *LOCAL, "--with-sidecars", "--restart-workloads", "--purge", "--yes")
    root = sandbox.api.get(f"{MESH}/configmaps/istio-ca-root-cert")
    assert root is not None

    before = sandbox.writes()
    refused = sandbox.run(*everything)
    assert refused.returncode == 3
    assert "--confirm local" in refused.stderr
    for flags, phrase in ((everything[:-2], PHRASE), (everything, "")):
        wrong = sandbox.run(*flags, "--include-ca", SOHISTIO_BACKUP_PASSPHRASE=phrase)
        assert wrong.returncode == 2, wrong.stderr
    assert sandbox.writes() == before

    confirmed = (*everything, "--confirm", "local", "--include-ca", "--output", "json")
    what_came_after_the_backup_stops_it(sandbox, confirmed)
    resources = digests(custom_resources(sandbox.api))
    done = sandbox.run(*confirmed, SOHISTIO_BACKUP_PASSPHRASE=PHRASE)
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(done.stdout)
    assert result["outcome"] == "done"
    assert {check["result"] for check in result["checks"]} == {"passed"}
    assert {check["name"] for check in result["checks"]} >= {"purged", "sidecars-gone"}
    assert crds(sandbox) == set()
    assert sandbox.api.get("/api/v1/namespaces/istio-system") is None
    assert names(sandbox, ROOTS, labels="istio.io/config=true") == set()
    assert with_proxy(sandbox) == []

    folder = max(backups(sandbox), key=lambda path: path.stat().st_mtime)
    assert str(folder) in done.stderr
    items = json.loads((folder / "custom-resources.json").read_text())["items"]
    assert digests(items) == resources
    assert len(resources) == len(of_istio("shop")) + len(served) + 2, "nothing of other controllers' Gateways"
    left = digests(custom_resources(sandbox.api))
    assert left == {ref: digest for ref, digest in resources.items() if "gateway.networking" in ref.kind}
    assert json.loads((folder / "record.json").read_text())["runs"][0]["mode"] == "install"

    before = sandbox.writes()
    again = sandbox.run(*everything)
    assert (again.returncode, "nothing to uninstall" in again.stdout) == (0, True), again.stderr
    assert sandbox.writes() == before
    sandbox.api.delete(sandbox.api.path_of(next(item for item in served if item["kind"] == "HTTPRoute")))
    came_back(sandbox, folder, root["data"])
    assert digests(custom_resources(sandbox.api)) == resources


def backups(sandbox: Sandbox) -> set[Path]:
    """The folders of whole backups: their contents are written last."""
    return {file.parent for file in (sandbox.state_home / "sohistio" / "backups").glob("*/backup.json")}


def what_came_after_the_backup_stops_it(sandbox: Sandbox, command: tuple[str, ...]) -> None:
    """One object that is new and one that changed: the purge ends before a CRD goes."""
    known, definitions_before = backups(sandbox), crds(sandbox)
    late: dict[str, Any] = {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": "late", "namespace": "shop"},
        "spec": {"hosts": ["late.example.com"], "http": [{"directResponse": {"status": 204}}]},
    }
    changed = next(item for item in of_istio("shop") if item["kind"] == "EnvoyFilter")
    with ThreadPoolExecutor(max_workers=1) as pool:
        run = pool.submit(sandbox.run, *command, SOHISTIO_BACKUP_PASSPHRASE=PHRASE)
        await_backup(sandbox, known, run)
        create(sandbox, late)
        insist(sandbox, lambda api: api.merge_patch(api.path_of(changed), {"spec": {"priority": 7}}))
        stopped = run.result()
    assert stopped.returncode == 1, stopped.stdout + stopped.stderr
    result = json.loads(stopped.stdout)
    states = {step["id"]: step["state"] for step in result["steps"]}
    assert (states["purge/check-backup"], states["purge/crds"]) == ("failed", "notStarted")
    assert result["error"]["details"] == [
        "EnvoyFilter shop/every changed after the backup was taken",
        "VirtualService shop/late is not in the backup: it came later",
    ]
    assert "2 custom resources are not in the backup as they are now: a purge would lose them" in stopped.stderr
    assert "Run the same command again" in stopped.stderr
    assert crds(sandbox) == definitions_before
    assert sandbox.api.get(f"{MESH}/secrets/istio-ca-secret") is not None


def await_backup(sandbox: Sandbox, known: set[Path], run: Future[Any]) -> None:
    deadline = time.monotonic() + 60
    while backups(sandbox) <= known:
        assert not run.done(), run.result()
        assert time.monotonic() < deadline
        time.sleep(0.02)


def came_back(sandbox: Sandbox, folder: Path, root: dict[str, str]) -> None:
    """The CA's key out of the backup first, then the mesh: sidecars of before would trust it."""
    restore = ("restore", *LOCAL, "--backup", str(folder), "--ca", "--yes")
    early = sandbox.run(*restore, SOHISTIO_BACKUP_PASSPHRASE=PHRASE)
    assert early.returncode == 0, early.stdout + early.stderr
    assert "the custom resources wait" in early.stdout
    installed = sandbox.run("install", *LOCAL, *GATEWAY_API)
    assert installed.returncode == 0, installed.stdout + installed.stderr
    now = sandbox.api.get(f"{MESH}/configmaps/istio-ca-root-cert")
    assert now is not None
    assert now["data"] == root
    late = sandbox.run(*restore, SOHISTIO_BACKUP_PASSPHRASE=PHRASE)
    assert (late.returncode, sandbox.api.get(f"{ROUTES}/web") is not None) == (0, True), late.stdout + late.stderr
