"""`sohistio namespaces apply` on a cluster without a mesh, and beside half a mesh: all of it, and nothing else."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from json_schemas import check
from own_environments import own_environments
from sandboxes import CHECKOUT, Sandbox
from workloads import apply, namespace

pytestmark = pytest.mark.e2e

APPLY = ("namespaces", "apply")
SOURCE = {"variables": {"username": "JFROG_USERNAME", "password": "JFROG_PASSWORD"}}
FIRST, SECOND = "first-Zq7hunter2", "second-Xw9hunter2"
WEBHOOKS = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
INJECTOR = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "MutatingWebhookConfiguration",
    "metadata": {"name": "istio-sidecar-injector", "labels": {"app": "sidecar-injector", "istio.io/rev": "default"}},
    "webhooks": [
        {
            "name": "namespace.sidecar-injector.istio.io",
            "clientConfig": {"service": {"namespace": "istio-system", "name": "istiod", "path": "/inject"}},
            "namespaceSelector": {"matchLabels": {"istio-injection": "enabled"}},
            "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}],
            "admissionReviewVersions": ["v1"],
            "sideEffects": "None",
            "failurePolicy": "Fail",
        }
    ],
}


def environment(folder: Path, *listed: str) -> tuple[str, ...]:
    istio = {"pullSecret": "jfrogauth", "pullSecretSource": SOURCE}
    return own_environments(folder, istio=istio, applicationNamespaces=list(listed))


def applied(box: Sandbox, flags: tuple[str, ...], password: str) -> subprocess.CompletedProcess[str]:
    return box.run(*APPLY, *flags, JFROG_USERNAME="bob", JFROG_PASSWORD=password)


def labelled(box: Sandbox, name: str) -> bool:
    found = box.api.get(f"/api/v1/namespaces/{name}")
    assert found is not None
    return bool(found["metadata"]["labels"].get("istio-injection") == "enabled")


def step_ids(document: dict[str, Any]) -> list[str]:
    return [step["id"] for step in document["steps"]]


@pytest.fixture(scope="module")
def prepared(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    """An empty cluster, prepared for shop."""
    sandbox.reset()
    apply(sandbox.api, namespace("shop", injected=False))
    writes, cache = len(sandbox.writes()), tmp_path_factory.mktemp("cache")
    flags = environment(tmp_path_factory.mktemp("first"), "shop", "late")
    variables = {"JFROG_USERNAME": "bob", "JFROG_PASSWORD": FIRST, "XDG_CACHE_HOME": str(cache)}
    done = sandbox.run(*APPLY, *flags, "--output", "json", cwd=CHECKOUT, **variables)
    assert done.returncode == 0, done.stderr
    result = check(done.stdout, "RunResult")
    assert step_ids(result) == [
        "istio-system/create",
        "pull-secrets/write",
        "namespaces/label",
        "namespaces/verify",
    ]
    assert {step["state"] for step in result["steps"]} == {"done"}
    assert [(item["name"], item["result"]) for item in result["checks"]] == [
        ("namespace-labels", "passed"),
        ("pull-secrets", "passed"),
    ]
    assert "namespace late does not exist and is not created" in done.stderr
    assert "hunter2" not in done.stdout + done.stderr
    assert list(cache.rglob("istioctl*")) == [], "it takes no istioctl"
    places = {line.partition("?")[0] for line in sandbox.writes()[writes:]}
    system = "/api/v1/namespaces/istio-system"
    assert places - {"update /apis/coordination.k8s.io/v1/namespaces/istio-system/leases/sohistio"} == {
        "create /api/v1/namespaces",
        "create /apis/coordination.k8s.io/v1/namespaces/istio-system/leases",
        f"create {system}/configmaps",
        f"create {system}/events",
        f"patch {system}/configmaps/sohistio-record",
        f"patch {system}/secrets/jfrogauth",
        "patch /api/v1/namespaces/shop/secrets/jfrogauth",
        "patch /api/v1/namespaces/shop",
    }
    return sandbox


def test_a_second_run_writes_nothing(prepared: Sandbox, tmp_path: Path) -> None:
    before = prepared.writes()
    done = applied(prepared, environment(tmp_path, "shop"), FIRST)
    assert (done.returncode, "nothing was written" in done.stdout) == (0, True), done.stdout + done.stderr
    assert prepared.writes() == before
    system = prepared.api.get("/api/v1/namespaces/istio-system")
    assert system is not None
    assert set(system["metadata"]["labels"]) == {"kubernetes.io/metadata.name"}, "as istioctl makes it"


def test_an_install_finds_it_done(prepared: Sandbox, tmp_path: Path) -> None:
    done = prepared.run(
        "plan", *environment(tmp_path, "shop"), "--output", "json", JFROG_USERNAME="bob", JFROG_PASSWORD=FIRST
    )
    assert done.returncode == 0, done.stderr
    plan = json.loads(done.stdout)
    assert plan["mode"] == "install", "the record of such a run says nothing of a mesh"
    assert not {phase["name"] for phase in plan["phases"]} & {"pull-secrets", "namespaces"}
    assert "namespaces" in prepared.run("history", "--env", "local").stdout


def test_beside_half_a_mesh_secrets_are_written_and_labels_wait(prepared: Sandbox, tmp_path: Path) -> None:
    apply(prepared.api, namespace("media", injected=False))
    flags = environment(tmp_path, "shop", "media")
    prepared.api.create(WEBHOOKS, INJECTOR)
    try:
        written = applied(prepared, (*flags, "--output", "json"), SECOND)
        before = prepared.writes()
        refused = applied(prepared, flags, SECOND)
        left = applied(prepared, (*flags, "--add-only"), SECOND)
        assert prepared.writes() == before
    finally:
        prepared.api.delete(f"{WEBHOOKS}/istio-sidecar-injector")
    assert written.returncode == 5, written.stderr
    result = check(written.stdout, "RunResult")
    assert step_ids(result) == ["pull-secrets/write", "namespaces/verify"]
    why = "media: not labelled while the injector's webhook is there and no istiod is ready"
    assert [why in item["message"] for item in result["checks"]] == [True, False]
    assert refused.returncode == 3
    assert why in refused.stderr
    assert "`sohistio install --env local` brings istiod back" in refused.stderr
    assert not labelled(prepared, "media")
    assert (left.returncode, why in left.stdout, left.stderr.count("Error")) == (0, True, 0), left.stdout + left.stderr
    done = applied(prepared, flags, SECOND)
    assert done.returncode == 0, done.stdout + done.stderr
    assert labelled(prepared, "media")


def test_injection_is_taken_away_with_approval_only(prepared: Sandbox, tmp_path: Path) -> None:
    flags = environment(tmp_path)
    refused = applied(prepared, flags, SECOND)
    assert refused.returncode == 3
    assert "takes sidecar injection away from namespace" in refused.stderr
    left = applied(prepared, (*environment(tmp_path, "late"), "--add-only"), SECOND)
    assert left.returncode == 0, left.stderr
    assert "shop: no longer in applicationNamespaces, and labelled still" in left.stdout
    assert labelled(prepared, "shop")
    done = applied(prepared, (*flags, "--yes"), SECOND)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not labelled(prepared, "shop")


def test_what_an_install_refuses_is_refused(prepared: Sandbox, tmp_path: Path) -> None:
    apply(prepared.api, namespace("odd", injected=False))
    prepared.api.merge_patch("/api/v1/namespaces/odd", {"metadata": {"labels": {"istio-injection": "disabled"}}})
    before = prepared.writes()
    contrary = applied(prepared, environment(tmp_path, "odd"), SECOND)
    no_password = prepared.run(*APPLY, *environment(tmp_path, "shop"), "--yes", JFROG_USERNAME="bob")
    assert (contrary.returncode, no_password.returncode) == (3, 3)
    assert "namespace odd is to be injected, but carries istio-injection=disabled" in contrary.stderr
    assert "the variable JFROG_PASSWORD is not set" in no_password.stderr
    assert prepared.writes() == before
