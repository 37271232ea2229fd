"""Preflight's checks of versions and by istioctl, as they fail; and an old error of the analysis that stops no run."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from killing import route, sidecars
from preflight_runs import LOCAL, environments, istioctl_that_says, preflight, there
from sandboxes import Sandbox
from workloads import apply, await_running, deployment, namespace, path_of

pytestmark = pytest.mark.e2e

NAMESPACES = ("shop", "payments", "media")


def route_to_nowhere(place: str) -> dict[str, Any]:
    """istioctl analyze has two errors about it: no such gateway, no such host."""
    return route(place, "lost", gateways=["nowhere/none"])


@pytest.fixture(scope="module")
def meshed(sandbox: Sandbox) -> Sandbox:
    """Istio 1.29.8, local's namespaces, and sidecars that are still of 1.28: one there, two that opted in elsewhere."""
    sandbox.with_mesh("1.29.8")
    for name in NAMESPACES:
        apply(sandbox.api, namespace(name))
    old = deployment("shop", "web")
    image = {"sidecar.istio.io/proxyImage": "docker.io/istio/proxyv2:1.28.3"}
    apply(sandbox.api, namespace("jobs", injected=False))
    opted_in = deployment("jobs", "web", replicas=1, labels={"sidecar.istio.io/inject": "true"})
    for item in (old, opted_in):
        item["spec"]["template"]["metadata"]["annotations"] = image
        apply(sandbox.api, item)
    template = opted_in["spec"]["template"]
    bare = {"apiVersion": "v1", "kind": "Pod", "spec": template["spec"]}
    bare["metadata"] = template["metadata"] | {"name": "nightly", "namespace": "jobs"}
    sandbox.api.create("/api/v1/namespaces/jobs/pods", bare)
    await_running(sandbox.api, "shop", 2)
    await_running(sandbox.api, "jobs", 2)
    return sandbox


def test_what_passes(meshed: Sandbox) -> None:
    checked = preflight(meshed, "--version", "1.29.8")
    assert checked.code == 0
    for name in ("kubernetes-version", "istio-minor-unknown", "prerelease", "one-minor-at-a-time", "proxy-skew"):
        assert checked.passed(name)
    assert checked.passed("plan") == "Istio 1.29.8 is in place, nothing to do"
    assert checked.passed("permissions") == "the plan writes nothing"
    assert checked.passed("istioctl").startswith("1.29.8")
    assert checked.passed("istioctl-precheck") == "errors: none, warnings: none, infos: 0"


def test_sidecars_that_are_too_old(meshed: Sandbox) -> None:
    message = preflight(meshed, "--version", "1.30.5").failed("proxy-skew")
    who = "Deployment jobs/web, Deployment shop/web, Pod jobs/nightly"
    assert message == f"istiod 1.30.5 does not support sidecars of 1.28.3: {who}"


def test_a_chain_that_leaves_one_out(meshed: Sandbox) -> None:
    checked = preflight(meshed, "--version", "1.31.1", "--via", "1.29.8")
    assert checked.failed("one-minor-at-a-time") == "1.29.8 to 1.31.1 is more than one minor; in place it must be one"
    assert checked.passed("permissions").startswith("all "), "what the manifest takes is asked all the same"


def test_a_prerelease_of_a_minor_that_nobody_knows(meshed: Sandbox, tmp_path: Path, istioctl: Path) -> None:
    checked = preflight(meshed, *istioctl_that_says(tmp_path, "1.32.0-rc.0", istioctl))
    assert checked.failed("prerelease") == "1.32.0-rc.0 is a pre-release"
    assert checked.failed("istio-minor-unknown").startswith("no Kubernetes versions are known for Istio 1.32.0-rc.0")


def test_a_kubernetes_that_is_not_supported(meshed: Sandbox, tmp_path: Path) -> None:
    flags = environments(tmp_path)
    (tmp_path / "environments" / "kubernetes-support.yaml").write_text(
        '"1.29": ["1.28", "1.30"]\n"1.30": ["1.28", "1.30"]\n'
    )
    upgrade = preflight(meshed, *flags, "--version", "1.30.5")
    words = "supports Kubernetes 1.28 to 1.30, the cluster runs 1.35.4"
    assert upgrade.failed("kubernetes-version") == f"Istio 1.30.5 {words}"
    in_place = preflight(meshed, *flags, "--version", "1.29.8")
    assert in_place.failed("kubernetes-version", "warning") == f"Istio 1.29.8 {words}"
    assert in_place.code == 0


def test_a_plan_that_is_refused(meshed: Sandbox) -> None:
    """And one for which there is no istioctl: most of the cluster is looked at all the same."""
    checked = preflight(meshed, "--mode", "install")
    assert checked.failures == ["plan"]
    assert "--mode install does not fit" in checked.failed("plan")

    missing = preflight(meshed, "--version", "1.99.0")
    assert missing.failures == ["istioctl"]
    assert "The mirror has no istioctl 1.99.0" in missing.failed("istioctl")
    assert missing.passed("system-namespaces")
    assert missing.of("plan")[0].message == "not looked at: there is no istioctl"


def test_istioctls_own_words(meshed: Sandbox) -> None:
    """A Gateway API too old for it stops a run; what is wrong in an application's configuration does not."""
    names = {"kind": "HTTPRoute", "plural": "httproutes", "singular": "httproute", "listKind": "HTTPRouteList"}
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    versions = [{"name": "v1alpha2", "served": True, "storage": True, "schema": schema}]
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": "httproutes.gateway.networking.k8s.io",
            "annotations": {"api-approved.kubernetes.io": "unapproved, a test"},
        },
        "spec": {"group": "gateway.networking.k8s.io", "scope": "Namespaced", "names": names, "versions": versions},
    }
    with there(meshed, definition):  # with it istioctl's analysis would wait for ever: it knows v1 only
        old = preflight(meshed, "--version", "1.29.8")
    with there(meshed, route_to_nowhere("shop")):
        lost = preflight(meshed, "--version", "1.29.8")
    assert "IST0156 (CustomResourceDefinition httproutes" in old.failed("gateway-api-crds")
    assert old.failures == ["gateway-api-crds"]
    assert [item.result for item in old.of("istioctl-precheck")] == ["passed"]
    assert [item.result for item in old.of("istioctl-analyze")] == ["skipped"]
    assert "Error IST0101 (VirtualService shop/lost)" in lost.failed("istioctl-analyze", "warning")
    assert lost.code == 0


def test_an_old_error_of_the_analysis_stops_no_run_and_no_chain(meshed: Sandbox) -> None:
    """An upgrade over a station goes through to the end, with a warning; a new error still fails the verification.

    Each hop restarts what it makes old.
    """
    api = meshed.api
    api.delete("/apis/apps/v1/namespaces/shop/deployments/web")
    api.delete("/api/v1/namespaces/jobs")
    ledger = deployment("payments", "ledger", replicas=1)
    apply(api, ledger)
    await_running(api, "payments", 1)
    for _ in range(100):
        if api.get("/api/v1/namespaces/jobs") is None:
            break
        time.sleep(0.1)
    lost = route_to_nowhere("shop")
    api.create(api.path_of(lost).rpartition("/")[0], lost)
    done = meshed.run("install", *LOCAL, "--via", "1.30.5", "--output", "json")
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(done.stdout)
    assert result["outcome"] == "done"
    assert {step["state"] for step in result["steps"]} == {"done"}
    assert "1.30.5/verify/mesh" in {step["id"] for step in result["steps"]}
    restarted = api.get(path_of(ledger))
    assert restarted is not None
    assert restarted["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "3", "once a hop"
    assert sidecars(meshed, ("payments",)) == {"1.31.1"}
    old = [check for check in result["checks"] if check["message"].startswith("there before this run: Error IST0101")]
    assert {check["severity"] for check in old} == {"warning"}
    assert any("VirtualService shop/lost" in check["message"] for check in old)

    alone = meshed.run("verify", *LOCAL)
    assert alone.returncode == 5, "by itself it fails as long as the error is there"
    assert "there before" not in alone.stdout
    back = meshed.run("rollback", *LOCAL, "--yes")
    assert back.returncode == 0, back.stdout + back.stderr
    assert "there before this run: Error IST0101" in back.stdout
