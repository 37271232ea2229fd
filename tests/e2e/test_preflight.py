"""`sohistio check` as a whole: what it says of a good cluster and of a bad one, how it answers; and it only looks."""

from __future__ import annotations

import json
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest

from accounts import kubeconfig_for
from faulty import HANG, Fault, FaultyServer, Request
from preflight_runs import LOCAL, environments, patched, preflight, there
from sandboxes import Sandbox
from sohistio.checks.preflight.registry import CHECKS
from workloads import namespace

pytestmark = pytest.mark.e2e

# Without those of a standby: it is none.
ASKED = [row.name for row in CHECKS if not row.name.startswith("failover-")]

NAMESPACE = "/api/v1/namespaces/kube-system"
WEBHOOK = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "ValidatingWebhookConfiguration",
    "metadata": {"name": "istio-validator-old", "labels": {"app": "istiod"}},
    "webhooks": [
        {
            "name": "rev.validation.istio.io",
            "clientConfig": {"service": {"namespace": "old", "name": "istiod-old"}},
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
            "failurePolicy": "Ignore",
        }
    ],
}


@pytest.fixture(scope="module")
def empty(sandbox: Sandbox) -> Sandbox:
    """An empty cluster with the namespaces that local names."""
    sandbox.reset()
    for name in ("shop", "payments", "media"):
        sandbox.api.create("/api/v1/namespaces", namespace(name))
    return sandbox


def test_an_empty_cluster_is_fit_for_an_install(empty: Sandbox) -> None:
    checked = preflight(empty)
    assert checked.code == 0
    assert {item["result"] for item in checked.document["checks"]} == {"passed", "skipped"}
    assert list(dict.fromkeys(item["name"] for item in checked.document["checks"])) == ASKED
    skipped = [item["name"] for item in checked.document["checks"] if item["result"] == "skipped"]
    azures = ["cluster-identity", "cluster-running", "managed-add-on"]
    of_certificates = ["certificate-authority", "certificate-expiry"]
    of_images = ["images", "image-platforms", "image-signatures"]
    of_policy = ["policy-lock-out", "policy-hosts", "policy-audit"]
    first = [*azures, "gateway-api-crds", "policy-hand-made", *of_certificates, "node-pools"]
    first += ["gateways-held", "mesh-spread", "pull-secret"]
    nothing = [*first, "stale-webhooks", "pod-webhooks", "mesh-pods", *of_images, *of_policy]
    assert skipped == nothing, "nothing to look at"
    assert checked.passed("plan") == "install to 1.31.1: 48 created, 0 changed, 0 removed"

    for item in checked.document["checks"]:
        assert item.keys() == {"name", "severity", "result", "message", "hint", "docs"}
    head = {key: value for key, value in checked.document.items() if key != "checks"}
    assert head == {"schemaVersion": "1", "kind": "Preflight", "environment": "local", "result": "passed"}


def test_five_things_wrong_are_five_failures_at_once(empty: Sandbox, tmp_path: Path) -> None:
    """And an install stops with all of them before it writes anything."""
    flags = environments(tmp_path, ingressAddress="10.224.1.4")
    (tmp_path / "environments" / "kubernetes-support.yaml").write_text('"1.31": ["1.28", "1.30"]\n')
    node = "/api/v1/nodes/{}"
    names = [item["metadata"]["name"] for item in empty.api.items("/api/v1/nodes")]
    wrong = ["kubernetes-version", "capacity", "gateway-address", "system-namespaces", "stale-webhooks"]
    label = {"metadata": {"labels": {"istio-injection": "enabled"}}}
    with there(empty, WEBHOOK), patched(empty, NAMESPACE, label, {"metadata": {"labels": {"istio-injection": None}}}):
        for name in names:
            empty.api.merge_patch(node.format(name), {"spec": {"unschedulable": True}})
        try:
            checked = preflight(empty, *flags)
            assert checked.failures == wrong
            before = empty.writes()
            stopped = empty.run("install", *LOCAL, *flags, "--skip-check", "kubernetes-version")
            assert empty.writes() == before
            skips = [flag for name in wrong for flag in ("--skip-check", name)]
            passed = preflight(empty, *flags, *skips)
        finally:
            for name in names:
                empty.api.merge_patch(node.format(name), {"spec": {"unschedulable": None}})
    assert checked.code == 3
    assert checked.document["result"] == "failed"
    assert stopped.returncode == 3, stopped.stderr
    assert "4 preflight checks do not hold" in stopped.stderr
    for name in wrong[1:]:
        assert f"  {name}: " in stopped.stderr, stopped.stderr
        assert f"--skip-check {name}" in stopped.stderr
    assert (passed.code, passed.failures) == (0, [])
    assert {item["result"] for item in passed.document["checks"] if item["name"] in wrong} == {"skipped"}


def test_as_junit(empty: Sandbox) -> None:
    with there(empty, WEBHOOK):
        done = empty.run("check", *LOCAL, "--output", "junit")
    assert done.returncode == 3
    (suite,) = ElementTree.fromstring(done.stdout)  # noqa: S314 — our own
    assert (suite.get("tests"), suite.get("failures")) == (str(len(ASKED)), "1")
    (failed,) = [case for case in suite if case.find("failure") is not None]
    assert failed.get("name") == "stale-webhooks"


def test_as_a_table_and_as_a_list(empty: Sandbox) -> None:
    done = empty.run("check", *LOCAL)
    assert done.returncode == 0
    assert "local: 25 passed, 20 skipped" in done.stdout
    listed = empty.run("check", "--list")
    assert all(f"{row.name} " in listed.stdout and row.docs in listed.stdout for row in CHECKS)
    document = json.loads(empty.run("check", "--list", "--output", "json").stdout)
    assert document["kind"] == "PreflightList"
    assert [item["name"] for item in document["checks"]] == [row.name for row in CHECKS]
    assert all(item.keys() >= {"severity", "about", "hint", "docs", "mandatory"} for item in document["checks"])


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--env", "staging"), "There is no environment named 'staging'"),
        ((), "no environment is named"),
        ((*LOCAL, "--skip-check", "capasity"), "--skip-check 'capasity' is no check"),
        ((*LOCAL, "--skip-check", "environment"), "--skip-check 'environment' cannot be skipped"),
        ((*LOCAL, "--timeout", "soon"), "'soon' is not a duration"),
    ],
)
def test_wrong_usage(empty: Sandbox, flags: tuple[str, ...], words: str) -> None:
    done = empty.run("check", *flags)
    assert done.returncode == 2
    assert words in done.stderr


def test_an_environment_that_is_not_valid(empty: Sandbox, tmp_path: Path) -> None:
    """The document is there, and with --context so is what can be said of the cluster."""
    flags = environments(tmp_path, ingresAddress="10.0.0.1")
    blind = preflight(empty, *flags)
    assert "ingresAddress: unknown key" in blind.failed("environment")
    assert blind.failures == ["environment"]
    assert {item["result"] for item in blind.document["checks"][1:]} == {"skipped"}

    seeing = preflight(empty, *flags, "--context", empty.context)
    assert seeing.failures == ["environment"]
    assert seeing.passed("system-namespaces")
    assert seeing.passed("lock") == "free"
    assert {item.result for item in seeing.of("capacity")} == {"skipped"}


def test_an_api_server_that_is_not_there(empty: Sandbox, tmp_path: Path) -> None:
    kubeconfig = kubeconfig_for(empty, tmp_path, "any", server="https://127.0.0.1:1")
    checked = preflight(
        empty, "--kubeconfig", str(kubeconfig), "--context", empty.context, SOHISTIO_ISTIO_MIRROR=empty.mirror
    )
    assert "https://127.0.0.1:1 cannot be reached" in checked.failed("api-server")
    assert checked.failures == ["api-server"]
    assert checked.of("permissions")[0].message == "not looked at: the cluster could not be read"


def test_an_api_server_that_is_far_away_and_one_that_hangs(empty: Sandbox, tmp_path: Path) -> None:
    def slow(request: Request) -> Fault | None:
        time.sleep(0.35 if request.path == "/version" else 0)
        return HANG if request.path == "/api/v1/nodes" else None

    with FaultyServer(empty, tmp_path) as server:
        server.decide = slow
        where = ("--kubeconfig", str(server.kubeconfig(empty, tmp_path)), "--context", empty.context)
        begun = time.monotonic()
        checked = preflight(empty, *where, "--timeout", "6s", SOHISTIO_ISTIO_MIRROR=empty.mirror)
        assert time.monotonic() - begun < 60, "the hanging list alone would take minutes"
    assert "more than 300 ms" in checked.failed("api-server", "warning")
    assert checked.failed("capacity", "warning") == "no answer within 6 s"
    assert checked.failed("gateway-address", "warning") == "no answer within 6 s"
    assert checked.failures == []
