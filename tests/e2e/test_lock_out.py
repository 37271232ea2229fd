"""A policy that would lock somebody out is refused before anything is written, with names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from own_environments import own_environments
from preflight_runs import Checked
from prometheus_server import PrometheusServer, Series
from sandboxes import Sandbox
from workloads import apply, await_running, deployment, namespace

pytestmark = pytest.mark.e2e

HOST, API = "shop.example.com", "api.partner.example"
POLICY: dict[str, Any] = {
    "mtls": {},
    "hosts": [{"hosts": [HOST], "allow": [{"paths": ["/health"], "anonymous": True}]}],
    "workloads": [{"namespace": "shop", "labels": {"app": "web"}, "allow": [{"namespaces": ["shop"]}]}],
    "ingress": [
        {
            "name": "shop",
            "hosts": [HOST],
            "credentialName": "shop-tls",
            "routes": [{"path": "/health", "service": "web.shop", "port": 80}],
        }
    ],
    "egress": {"mode": "registryOnly", "hosts": []},
}
_ISTIO = "/apis/networking.istio.io/v1/namespaces/shop"


@pytest.fixture(scope="module")
def shop(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    """A mesh without a policy, and a way past its gateways, a Gateway made by hand, a client without a sidecar."""
    sandbox.with_mesh()
    api = sandbox.api
    apply(api, namespace("shop"))
    apply(api, namespace("reports", injected=False))
    done = sandbox.run("install", *_flags(tmp_path_factory.mktemp("plain")))
    assert done.returncode == 0, done.stdout + done.stderr
    web = deployment("shop", "web")
    given = [{"name": "API_URL", "value": f"https://shop:very-secret@{API}/v1"}]
    web["spec"]["template"]["spec"]["containers"][0]["env"] = given
    apply(api, web)
    apply(api, deployment("reports", "nightly", replicas=1))
    service = {
        "type": "NodePort",
        "selector": {"app": "web"},
        "ports": [{"name": "http", "port": 80, "targetPort": 8080}],
    }
    api.create(
        "/api/v1/namespaces/shop/services",
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "shop"}, "spec": service},
    )
    server = {
        "port": {"number": 443, "name": "https", "protocol": "HTTPS"},
        "hosts": [HOST],
        "tls": {"mode": "SIMPLE", "credentialName": "own-tls"},
    }
    _istio(sandbox, "Gateway", {"selector": {"istio": "ingressgateway"}, "servers": [server]})
    destination = {"destination": {"host": "web.shop.svc.cluster.local", "port": {"number": 80}}}
    route = {"match": [{"uri": {"prefix": "/shop"}}], "route": [destination]}
    _istio(sandbox, "VirtualService", {"hosts": [HOST], "gateways": ["own"], "http": [route]})
    await_running(api, "shop", 2)
    await_running(api, "reports", 1)
    return sandbox


def _istio(sandbox: Sandbox, kind: str, spec: dict[str, Any]) -> None:
    metadata = {"name": "own", "namespace": "shop"}
    obj = {"apiVersion": "networking.istio.io/v1", "kind": kind, "metadata": metadata, "spec": spec}
    sandbox.api.create(f"{_ISTIO}/{kind.lower()}s", obj)


def _flags(folder: Path, **keys: Any) -> tuple[str, ...]:
    return own_environments(folder, applicationNamespaces=["shop"], **keys)


def _checked(sandbox: Sandbox, folder: Path, **keys: Any) -> Checked:
    done = sandbox.run("check", *_flags(folder, **keys), "--output", "json")
    assert "Traceback" not in done.stderr
    assert "very-secret" not in done.stdout + done.stderr
    return Checked(done.returncode, json.loads(done.stdout))


NODE_PORT = (
    "policy.mtls would close it: Service shop/web (NodePort) leads from outside the cluster to Deployment shop/web, "
    "past every gateway"
)
ROUTE = f"policy.hosts would close {HOST}, which VirtualService shop/own serves: no rule lets any request in"
GATEWAY = (
    "policy.workloads would refuse the gateway: VirtualService shop/own leads from the ingress gateway to Deployment "
    "shop/web; no rule lets it in"
)
CLIENT = "without a sidecar, outside the mesh: Deployment reports/nightly"
OUTSIDE = f"Deployment shop/web is given {API}:443, which nothing declares for shop"
CLAIMED = f"{HOST} at port 443 is claimed by Gateway istio-system/shop, Gateway shop/own: only one of them counts"


def test_an_install_is_refused_with_names_and_writes_nothing(shop: Sandbox, tmp_path: Path) -> None:
    before = shop.writes()
    refused = shop.run("install", *_flags(tmp_path, policy=POLICY), "--yes")
    assert refused.returncode == 3, refused.stdout + refused.stderr
    assert shop.writes() == before
    said = " ".join((refused.stdout + refused.stderr).split())
    for words in (NODE_PORT, ROUTE, GATEWAY, CLAIMED, "--skip-check policy-lock-out"):
        assert words in said, (words, refused.stdout + refused.stderr)
    assert "very-secret" not in said


def test_a_check_tells_errors_from_warnings(shop: Sandbox, tmp_path: Path) -> None:
    checked = _checked(shop, tmp_path, policy=POLICY)
    errors = checked.failed("policy-lock-out").splitlines()
    assert {NODE_PORT, ROUTE, GATEWAY} <= set(errors)
    warnings = [item.message for item in checked.of("policy-lock-out") if item.severity == "warning"]
    for words in (CLIENT, OUTSIDE):
        assert any(words in message for message in warnings), warnings
    assert checked.failed("policy-hosts") == CLAIMED


def _yesterday(query: str) -> list[Series]:
    to = {"destination_workload": "web", "destination_workload_namespace": "shop"}
    nightly = {"source_workload": "nightly", "source_workload_namespace": "reports"}
    if "istio_tcp" in query or "rbac" in query:
        return []
    if "PassthroughCluster" in query:
        return [({"source_workload": "web", "source_workload_namespace": "shop"}, 4)]
    if 'connection_security_policy="none"' in query:
        return [(nightly | to, 7)]
    return [(nightly | to | {"source_principal": "spiffe://cluster.local/ns/reports/sa/default"}, 7)]


def test_prometheus_knows_who_called(shop: Sandbox, tmp_path: Path) -> None:
    with PrometheusServer(_yesterday) as prometheus:
        monitoring = {"prometheusURL": prometheus.url}
        checked = _checked(shop, tmp_path, policy=POLICY, monitoring=monitoring)
        errors = checked.failed("policy-lock-out")
        assert "Deployment shop/web took plaintext in the last day, from reports/nightly (7 requests)" in errors
        assert "reports/nightly as cluster.local/ns/reports/sa/default (7 requests); no rule lets them in" in errors
        assert "shop/web made 4 calls of the last day to external hosts that no registry has" in errors
        prometheus.status = 503
        silent = _checked(shop, tmp_path, policy=POLICY, monitoring=monitoring)
    warned = [item.message for item in silent.of("policy-lock-out") if item.severity == "warning"]
    assert any(f"not known who calls whom: Prometheus at {monitoring['prometheusURL']}" in words for words in warned)
    assert NODE_PORT in silent.failed("policy-lock-out")


def test_stage_audit_refuses_nothing_and_reports(shop: Sandbox, tmp_path: Path) -> None:
    audit = POLICY | {"stage": "audit"}
    unknown = _checked(shop, tmp_path, policy=audit)
    assert not {"policy-lock-out", "policy-hosts", "policy-audit"} & set(unknown.failures)
    assert "no Prometheus is named" in unknown.failed("policy-audit", "warning")
    series: list[Series] = [
        ({"namespace": "shop", "pod": "web-1", "http_conn_manager_prefix": "inbound_0.0.0.0_8080"}, 3)
    ]
    with PrometheusServer(lambda query: series if "envoy_(http|tcp)_rbac" in query else []) as prometheus:
        keys = {"policy": audit, "monitoring": {"prometheusURL": prometheus.url}}
        verified = shop.run("verify", *_flags(tmp_path, **keys))
    words = " ".join(verified.stdout.split())
    assert "policy-audit" in words, verified.stdout
    assert "3 at inbound_0.0.0.0_8080" in words, verified.stdout


def test_who_knows_better_skips_it_and_what_is_in_place_is_not_reported_again(shop: Sandbox, tmp_path: Path) -> None:
    """Last: the mesh has the policy afterwards."""
    flags = _flags(tmp_path, policy=POLICY)
    known = ("policy-lock-out", "policy-hosts", "policy-hand-made")
    done = shop.run("install", *flags, *(f"--skip-check={name}" for name in known), "--yes")
    assert done.returncode in (0, 5), done.stdout + done.stderr
    checked = _checked(shop, tmp_path, policy=POLICY)
    assert [item.result for item in checked.of("policy-lock-out")] == ["passed"], checked.of("policy-lock-out")
    assert checked.failed("policy-hosts", "warning") == CLAIMED
