"""Environment files that something has damaged: read, or refused with file and line; never a crash, never a write."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from damage import damaged_bytes, damaged_documents, nested, nothing_written
from environment_folder import OPERATOR, VARIABLES, environment_folder
from sohistio.environments.injector import with_injector
from sohistio.environments.load import load_environment, problems_of, promotion_chain, summary_of
from sohistio.environments.yaml_files import to_yaml
from sohistio.errors import UsageError

SHIPPED = Path(__file__).parents[3] / "environments"
# Of every part of the file something, as the pages have it.
QA = """\
name: qa
ingressAddress: ${SOHISTIO_IP_PREFIX}.20.188
standbyOf: prod
cluster:
  aks:
    {subscription: s, resourceGroup: g, name: n, cloud: {authority: a.example.com, resourceManager: "https://r.io"}}
  nodes: {min: 3, max: 5, size: Standard_D4s_v3}
istio:
  pinDigests: false
  pullSecretSource: {variables: {username: A, password: B}}
  pullSecretRegistries: {jfrog.example.com: {keyVault: {vault: "https://r.vault.azure.net", secret: s}}}
images: {source: docker.io/istio}
audit: {reasonRequired: true}
notify: {webhook: SOHISTIO_NOTIFY_URL, format: teams}
gateways:
  longestRequest: 75s
  probes: [{url: "https://app.corp.example.com/health", header: "x-region: {environment}", status: 200, count: 5}]
restarts:
  windows: [Sat-Sun 02:00-04:00 Europe/Berlin]
  freezes: [{dates: 2026-12-20..2027-01-06 Europe/Berlin, reason: end of the year}]
  order: {canary: [demo, billing/preview], namespaces: [claims]}
  optOut: [{name: billing/ledger, reason: x}]
failover:
  dns:
    record: app.corp.example.com
    zone: corp.example.com
    servers: [10.0.0.4, "10.0.0.5:5353"]
    maxTtl: 60s
    rfc2136: {server: 10.0.0.4, keyName: k, keyFile: key, algorithm: hmac-sha256}
  probes: [{url: "https://app.corp.example.com/health", header: "x-region: {environment}"}]
  before: {argv: [./ready.sh], timeout: 60s}
sync:
  substitutions: [{from: prod.example.com, to: dr.example.com}]
  exclude: [{kind: EnvoyFilter, name: region-*}]
policy:
  stage: audit
  mtls: {mode: strict, minTls: "1.3", permissive: [legacy], workloadCertificates: 24h}
  authority: {files: {certificate: c.pem, key: k.pem, root: r.pem, chain: h.pem}}
  jwt: [{issuer: "https://login.example.com", audiences: [shop], jwksUri: "https://login.example.com/keys"}]
  hosts: [{hosts: [shop.example.com], allow: [{paths: [/api/*], methods: [GET], claims: {groups: [readers]}}]}]
  workloads: [{namespace: payments, labels: {app: ledger}, allow: [{serviceAccounts: [shop/checkout], ports: [15020]}]}]
  ingress: [{name: shop, hosts: [shop.example.com], credentialName: c, routes: [{service: web.shop, port: 80}]}]
  egress: {mode: registryOnly, hosts: [{host: db.example.com, port: 5432, addresses: [10.1.2.3], namespaces: [shop]}]}
  telemetry: {accessLog: json, tracing: {service: jaeger.traces}}
monitoring:
  prometheus: {storage: {size: 50Gi}, retention: 360h}
  alerts: {webhook: {secret: on-call}}
  grafana: {}
"""


OPERATOR_WITH_VALUES = yaml.safe_load(
    f"""{OPERATOR}
  meshConfig: {{accessLogFile: /dev/stdout, defaultConfig: {{proxyMetadata: {{SECRET_TTL: 24h}}}}}}
  values:
    gateways: {{istio-ingressgateway: {{autoscaleMin: 3, autoscaleEnabled: true}}}}
    global: {{proxy: {{resources: {{}}}}}}
"""
)


def read_all(root: Path) -> None:
    """As the commands that only read do, and whatever they make of a valid one."""
    summary_of("qa", root, VARIABLES)
    promotion_chain("qa", root, VARIABLES)
    if problems_of("qa", root, VARIABLES):
        with pytest.raises(UsageError, match="The environment qa is not valid") as caught:
            load_environment("qa", root, VARIABLES)
        assert caught.value.details
        assert all(line.startswith(str(root)) for line in caught.value.details)
        return
    environment = load_environment("qa", root, VARIABLES)
    with_injector(to_yaml(environment.operator_for()), opened=True, parked=True)
    to_yaml(environment.document())
    environment.mesh_policy()
    environment.restart_policy()
    assert environment.digest()


def damaged(tmp_path: Path, file: str, content: bytes) -> Path:
    root = environment_folder(tmp_path)
    (root / "prod").mkdir(exist_ok=True)
    (root / "prod" / "environment.yaml").write_text("name: prod\n")
    (root / file).write_bytes(content)
    return root


def test_what_is_damaged_was_valid(tmp_path: Path) -> None:
    root = damaged(tmp_path, "qa/environment.yaml", QA.encode())
    (root / "qa/istiooperator.yaml").write_bytes(written(OPERATOR_WITH_VALUES))
    assert problems_of("qa", root, VARIABLES) == ()
    read_all(root)


@settings(max_examples=100)
@given(damaged_bytes(QA.encode()))
def test_an_environments_file_with_bytes_gone_wrong(tmp_path: Path, content: bytes) -> None:
    root = damaged(tmp_path, "qa/environment.yaml", content)
    with nothing_written(root):
        read_all(root)


@settings(max_examples=60)
@given(damaged_bytes((SHIPPED / "base" / "istiooperator.yaml").read_bytes()), st.booleans())
def test_an_istiooperator_with_bytes_gone_wrong(tmp_path: Path, content: bytes, base: bool) -> None:
    root = damaged(tmp_path, f"{'base' if base else 'qa'}/istiooperator.yaml", content)
    with nothing_written(root):
        read_all(root)


def written(document: Any) -> bytes:
    """As JSON, which is YAML: half a character is written as an escape."""
    return json.dumps(document).encode()


@settings(max_examples=100)
@given(damaged_documents(yaml.safe_load(QA)))
@example({**yaml.safe_load(QA), "description": nested(150)})
def test_an_environments_file_with_something_else_in_its_place(tmp_path: Path, document: Any) -> None:
    root = damaged(tmp_path, "qa/environment.yaml", written(document))
    with nothing_written(root):
        read_all(root)


@settings(max_examples=100)
@given(damaged_documents(OPERATOR_WITH_VALUES), st.booleans())
@example({"spec": {"values": {"gateways": True}}}, False)
@example({"spec": {"values": {"gateways": {"istio-ingressgateway": True}}}}, False)
@example({"spec": {"values": {"sidecarInjectorWebhook": "x"}}}, False)
@example(
    {"spec": {"components": {"ingressGateways": [{"name": "istio-ingressgateway", "k8s": {"hpaSpec": 1}}]}}}, False
)
@example(
    {"spec": {"components": {"ingressGateways": [{"name": "istio-ingressgateway", "k8s": {"overlays": 1}}]}}}, False
)
@example({"spec": {"components": {"ingressGateways": [{"name": "istio-ingressgateway", "k8s": {"env": None}}]}}}, False)
@example({"spec": {"components": {"pilot": {"k8s": {"overlays": {}}}}}}, False)
@example({"spec": {"components": {"ingressGateways": 5}}}, True)
@example({"spec": {"components": {"ingressGateways": [{"name": 5}, {"name": "x"}]}}}, True)
@example({"spec": {"values": {"global": {"proxy": nested(300)}}}}, False)
@example({"spec": {"values": {"global": {"proxy": nested(200, by_key=True)}}}}, False)
def test_an_istiooperator_with_something_else_in_its_place(tmp_path: Path, document: Any, base: bool) -> None:
    root = damaged(tmp_path, f"{'base' if base else 'qa'}/istiooperator.yaml", written(document))
    if base:
        (root / "qa/istiooperator.yaml").write_text(OPERATOR)
    with nothing_written(root):
        read_all(root)


@pytest.mark.parametrize("number", ["0x" + "f" * 5000, "9" * 5000, "1e999999", "-.inf", ".nan", "1" + ":30" * 2000])
@pytest.mark.parametrize("line", ["restarts: {{parallel: {}}}", "timeouts: {{total: {}}}", "description: {}", "{}: 1"])
def test_a_huge_number(tmp_path: Path, line: str, number: str) -> None:
    read_all(environment_folder(tmp_path, qa=line.format(number)))


@pytest.mark.parametrize("levels", [90, 330])
@pytest.mark.parametrize("by_key", [False, True])
def test_deep_nesting_is_read_or_refused(tmp_path: Path, levels: int, by_key: bool) -> None:
    begin, end = ("{a: ", "}") if by_key else ("[", "]")
    deep = begin * levels + "1" + end * levels
    read_all(environment_folder(tmp_path, qa=f"description: {deep}"))
    read_all(environment_folder(tmp_path, operator=f"{OPERATOR}  values: {{global: {{proxy: {deep}}}}}\n"))
