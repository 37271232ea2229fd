"""The key `policy` (and `monitoring`): what it becomes, and what is refused, with file, line and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from environment_folder import OPERATOR, VARIABLES, environment_folder
from sohistio.environments.load import load_environment, problems_of
from sohistio.environments.model import Environment
from sohistio.environments.policy import STRONG_CIPHER_SUITES
from sohistio.model.outside import OutsideProtocol, OutsideTls
from sohistio.model.policy import GatewayPlace, Mtls, Policy, Stage, Telemetry, TlsVersion, Tracing
from sohistio.model.policy_access import HostAccess, HostRule, JwtIssuer, Operation, WorkloadAccess, WorkloadRule
from sohistio.model.policy_traffic import (
    Connections,
    Egress,
    ExternalHost,
    IngressHosts,
    NamespaceDefaults,
    OutlierDetection,
    RateLimit,
    Retries,
    Route,
)

ALL = """\
policy:
  stage: audit
  mtls: {mode: strict, permissive: [legacy], minTls: "1.2", workloadCertificates: 12h}
  jwt:
    - {issuer: "https://login.example.com", audiences: [shop], jwksUri: "https://login.example.com/keys"}
    - {issuer: robot@example.com, audiences: [a, b], jwks: '{"keys": [{"kty": "RSA", "n": "x", "e": "AQAB"}]}', forward: true}
  hosts:
    - hosts: [shop.example.com]
      allow:
        - {paths: [/health, "*/live", "*", /], anonymous: true}
        - {methods: [GET], claims: {groups: [readers, admins]}}
        - {principals: ["https://login.example.com/alice"], paths: [/admin/*]}
  workloads:
    - namespace: payments
      labels: {app: ledger}
      allow:
        - {namespaces: [shop, monitoring], methods: [GET], paths: [/api/*], ports: [8080]}
        - {serviceAccounts: [shop/checkout]}
        - {principals: [cluster.local/ns/shop/sa/checkout]}
  ingress:
    - name: shop
      hosts: [shop.example.com, "*.shops.example.com"]
      credentialName: shop-tls
      routes: [{path: /api, service: orders.shop, port: 8000}, {service: web.shop, port: 80}]
  egress:
    mode: allowAny
    hosts:
      - {host: api.example.com, namespaces: [shop]}
      - {host: db.example.com, port: 1433, serviceAccounts: [shop/checkout], addresses: [10.1.2.3]}
      - {host: mq.example.com, port: 8443, tls: passthrough, namespaces: [shop]}
      - {host: old.example.com, port: 80, namespaces: [shop]}
      - {host: tls.example.com, port: 5671, tls: originate, caCredential: partner-ca, namespaces: [shop]}
  defaults:
    - namespace: shop
      services: [orders]
      loadBalancing: leastRequest
      retries: {attempts: 2, perTry: 2s, when: "5xx,reset"}
      timeout: 10s
      outlierDetection: {}
      connections: {max: 100, maxPending: 10}
      rateLimit: {requests: 100}
  telemetry:
    accessLog: json
    proxyLogLevel: warning
    tracing: {service: jaeger-collector.observability}
monitoring: {prometheusURL: "http://prometheus.monitoring.svc:9090/prefix"}
"""  # noqa: E501 — one line for one issuer
LIVE = (("istio", "ingressgateway"),)


def loaded(tmp_path: Path, qa: str = "", operator: str = OPERATOR) -> Environment:
    return load_environment("qa", environment_folder(tmp_path, qa=qa, operator=operator), VARIABLES)


def test_all_of_it_as_plain_data(tmp_path: Path) -> None:
    environment = loaded(tmp_path, ALL)
    http, tcp, shop = OutsideProtocol.HTTP, OutsideProtocol.TCP, ("shop",)
    keys = '{"keys": [{"kty": "RSA", "n": "x", "e": "AQAB"}]}'
    assert environment.mesh_policy() == Policy(
        Stage.AUDIT,
        Mtls(
            permissive=("legacy",),
            min_tls=TlsVersion.V1_2,
            cipher_suites=STRONG_CIPHER_SUITES,
            certificate_seconds=12 * 3600,
        ),
        (
            JwtIssuer("https://login.example.com", ("shop",), jwks_uri="https://login.example.com/keys"),
            JwtIssuer("robot@example.com", ("a", "b"), jwks=keys, forward=True),
        ),
        (
            HostAccess(
                ("shop.example.com",),
                (
                    HostRule(Operation(("/health", "*/live", "*", "/")), anonymous=True),
                    HostRule(Operation(methods=("GET",)), claims=(("groups", ("readers", "admins")),)),
                    HostRule(Operation(("/admin/*",)), principals=("https://login.example.com/alice",)),
                ),
            ),
        ),
        (
            WorkloadAccess(
                "payments",
                (("app", "ledger"),),
                (
                    WorkloadRule(("shop", "monitoring"), operation=Operation(("/api/*",), ("GET",)), ports=(8080,)),
                    WorkloadRule(service_accounts=("shop/checkout",)),
                    WorkloadRule(principals=("cluster.local/ns/shop/sa/checkout",)),
                ),
            ),
        ),
        (
            IngressHosts(
                "shop",
                ("shop.example.com", "*.shops.example.com"),
                "shop-tls",
                (Route("/api", "orders", "shop", 8000), Route("/", "web", "shop", 80)),
            ),
        ),
        Egress(
            registry_only=False,
            hosts=(
                ExternalHost("api.example.com", 443, 80, http, OutsideTls.ORIGINATE, shop),
                ExternalHost("db.example.com", 1433, 1433, tcp, OutsideTls.NONE, (), ("shop/checkout",), ("10.1.2.3",)),
                ExternalHost("mq.example.com", 8443, 8443, tcp, OutsideTls.PASSTHROUGH, shop),
                ExternalHost("old.example.com", 80, 80, http, OutsideTls.NONE, shop),
                ExternalHost(
                    "tls.example.com", 5671, 5671, tcp, OutsideTls.ORIGINATE, shop, ca_credential="partner-ca"
                ),
            ),
        ),
        (
            NamespaceDefaults(
                "shop",
                ("orders",),
                "leastRequest",
                Retries(2, 2, "5xx,reset"),
                10,
                OutlierDetection(5, 10, 30, 50),
                Connections(100, 10),
                RateLimit(100, 1),
            ),
        ),
        Telemetry(
            access_log=True, proxy_log_level="warning", tracing=Tracing("jaeger-collector.observability", 4317, 1)
        ),
    )
    assert environment.monitoring.prometheus_url == "http://prometheus.monitoring.svc:9090/prefix"


def test_it_is_written_as_it_is_read(tmp_path: Path) -> None:
    environment = loaded(tmp_path, ALL)
    document = environment.document()
    assert document["monitoring"] == {"prometheusURL": "http://prometheus.monitoring.svc:9090/prefix"}
    assert Environment.build(document, {}).policy == environment.policy


def test_without_the_key_there_is_none(tmp_path: Path) -> None:
    environment = loaded(tmp_path)
    assert environment.mesh_policy() == Policy()
    assert environment.monitoring.prometheus_url is None
    assert environment.document().keys() & {"policy", "monitoring"} == set()


def test_empty_mtls_is_the_safe_default(tmp_path: Path) -> None:
    assert loaded(tmp_path, "policy: {mtls: {}}\n").mesh_policy() == Policy(mtls=Mtls())
    assert Mtls() == Mtls(strict=True, min_tls=TlsVersion.V1_3, certificate_seconds=86400)


def test_the_gateways_are_the_environments_own(tmp_path: Path) -> None:
    operator = OPERATOR.replace(
        "- name: istio-egressgateway", "- name: out\n        namespace: edge\n        label: {a: b}"
    )
    policy = loaded(tmp_path, "policy: {}\n", operator).mesh_policy()
    assert policy.ingress_gateway == GatewayPlace("istio-ingressgateway", labels=LIVE)
    assert policy.egress_gateway == GatewayPlace("out", "edge", (("a", "b"),))


_JWT = "jwt: [{issuer: 'https://a.b', audiences: [c], jwksUri: 'https://a.b/k'}]"
_HOST = "hosts: [{hosts: [a.b], allow: [%s]}]"
_RULE = "workloads: [{namespace: shop, allow: [%s]}]"
_OUT = "egress: {hosts: [%s]}"
_KEYS_TWICE = (
    'jwt: [{issuer: \'https://a.b\', audiences: [a], jwks: \'{"keys": [{"k": "SECRET"}], "keys": [{"kty": "RSA"}]}\'}]'
)
_KEYS_AT = "jwt: [{issuer: 'https://a.b', audiences: [a], jwksUri: '%s'}]"
_NO_HOSTS = (
    "https://169.254.169.254/y",
    "https://2852039166/y",
    "https://[::1]/y",
    "https://localhost./y",
    "https://127.1/y",
)
_URL = "expected an https URL with a full host name, such as https://login.example.com/keys"
_PATH = "expected a path such as /api, /api/* or */health, with one * at most"
_ROOT = "expected another namespace: what is declared in istio-system applies to the whole mesh, got 'istio-system'"
_JWKS = 'expected a JSON Web Key Set as JSON in jwks: {"keys": […]}'

BAD_POLICIES = [
    ("stage: off", "stage: expected 'enforce' or 'audit', got False"),
    ("egres: {}", "egres: unknown key; did you mean egress?"),
    ("mtls: {mode: STRICT}", "mtls.mode: expected 'strict' or 'permissive', got 'STRICT'"),
    ("mtls: {minTls: 1.3}", "mtls.minTls: expected '1.2' or '1.3', got 1.3"),
    ("mtls: {mode: permissive, permissive: [a]}",
     "mtls: expected mode strict beside permissive: without it every namespace takes plaintext"),
    ("mtls: {permissive: [istio-system]}", f"mtls.permissive[0]: {_ROOT}"),
    ("mtls: {cipherSuites: [ECDHE-RSA-AES128-GCM-SHA256]}",
     'mtls: expected minTls "1.2" beside cipherSuites: those of TLS 1.3 cannot be chosen'),
    ("mtls: {workloadCertificates: 1m}",
     "mtls.workloadCertificates: expected a life of 10m to 2160h (90 days), such as 24h, got '1m'"),
    ("jwt: [{issuer: login, audiences: [a], jwksUri: 'https://a.b'}]",
     "jwt[0].issuer: expected an https URL or an e-mail address, as tokens have it in iss, got 'login'"),
    ("jwt: [{issuer: 'https://a.b', audiences: [], jwksUri: 'https://a.b'}]",
     "jwt[0].audiences: expected at least one"),
    ("jwt: [{issuer: 'https://a.b', audiences: [a]}]", "jwt[0]: expected one of jwksUri and jwks"),
    ("jwt: [{issuer: 'https://a.b', audiences: [a], jwksUri: 'http://a.b'}]",
     "jwt[0].jwksUri: expected an https URL with a full host name, such as https://login.example.com/keys, got 'http://a.b'"),
    ("jwt: [{issuer: 'https://a.b', audiences: [a], jwksUri: 'https://['}]",
     "jwt[0].jwksUri: expected an https URL with a full host name, such as https://login.example.com/keys, got 'https://['"),
    ("jwt: [{issuer: 'https://a.b', audiences: [a], jwks: '{\"keys\": [{\"d\": \"SECRET\"'}]", f"jwt[0]: {_JWKS}"),
    *((_KEYS_AT % url, f"jwt[0].jwksUri: {_URL}, got '{url}'") for url in _NO_HOSTS),
    (_KEYS_TWICE, f"jwt[0]: {_JWKS}"),
    ("jwt: [{issuer: 'https://a.b', audiences: [a], jwks: ''}]", f"jwt[0]: {_JWKS}"),
    ("jwt: [{issuer: 'https://a.b', audiences: [a], jwks: '{\"keys\": []}'}]",
     f"jwt[0]: {_JWKS}, each key with its kty"),
    ("jwt: [{issuer: 'https://a.b', audiences: [a], jwks: '{\"keys\": [{\"kty\": \"RSA\", \"d\": \"SECRET\"}]}'}]",
     "jwt[0]: expected public keys only in jwks: this one holds a private key"),
    (_JWT[:-1] + ", {issuer: 'https://a.b', audiences: [d], jwksUri: 'https://a.b/l'}]",
     ": expected each issuer once, https://a.b is given twice"),
    (_HOST % "{paths: [/a]}", ": expected jwt: a rule of hosts needs a token unless it says anonymous: true"),
    (_HOST % "{claims: {groups: [a]}}", ": expected jwt: a rule of hosts needs a token unless it says anonymous: true"),
    (_HOST % "{anonymous: true, claims: {groups: [a]}}",
     "hosts[0].allow[0]: expected no principals and claims beside anonymous: they are parts of a token"),
    (_HOST % "{anonymous: true, paths: [api]}", f"hosts[0].allow[0].paths[0]: {_PATH}, got 'api'"),
    (_HOST % "{anonymous: true, paths: ['/a/*/b']}", f"hosts[0].allow[0].paths[0]: {_PATH}, got '/a/*/b'"),
    (_HOST % "{anonymous: true, paths: ['*a*']}", f"hosts[0].allow[0].paths[0]: {_PATH}, got '*a*'"),
    (_HOST % '{anonymous: true, paths: ["/a\\tb"]}', f"hosts[0].allow[0].paths[0]: {_PATH}, got '/a\\tb'"),
    (_HOST % "{anonymous: true, methods: [get]}", "hosts[0].allow[0].methods[0]: expected one of CONNECT, DELETE, GET, "
     "HEAD, OPTIONS, PATCH, POST, PUT, TRACE, got 'get'"),
    ("hosts: [{hosts: [Shop.example.com]}]", "hosts[0].hosts[0]: expected a full name in lower case such as "
     "app.corp.example.com, without a final dot, got 'Shop.example.com'"),
    ("hosts: [{hosts: ['*.example.com']}]", "hosts[0].hosts[0]: expected a full name in lower case such as "
     "app.corp.example.com, without a final dot, got '*.example.com'"),
    ("hosts: [{hosts: [a.b]}, {hosts: [a.b]}]", ": expected each host of hosts once, a.b is given twice"),
    (f"{_JWT[:-1]}], {_HOST % '{principals: [alice]}'}",
     ": expected principals that begin with an issuer of jwt and a slash, got alice"),
    (_RULE % "{paths: [/a]}",
     "workloads[0].allow[0]: expected at least one of namespaces, serviceAccounts and principals"),
    (_RULE % "{serviceAccounts: [checkout]}", "workloads[0].allow[0].serviceAccounts[0]: expected namespace/name of a "
     "ServiceAccount, such as shop/checkout, got 'checkout'"),
    (_RULE % "{principals: ['spiffe://cluster.local/ns/a/sa/b']}", "workloads[0].allow[0].principals[0]: expected a "
     "principal such as cluster.local/ns/shop/sa/checkout, without spiffe://, got 'spiffe://cluster.local/ns/a/sa/b'"),
    (_RULE % "{namespaces: [a], ports: [0]}", "workloads[0].allow[0].ports[0]: expected at least 1, got 0"),
    ("workloads: [{namespace: istio-system}]", f"workloads[0].namespace: {_ROOT}"),
    ("ingress: [{name: egress-a, hosts: [a.b], credentialName: c, routes: [{service: a.b, port: 80}]}]",
     "ingress[0]: expected a name that does not begin with egress-: those are policy.egress's"),
    ("ingress: [{name: a, hosts: ['*'], credentialName: c, routes: [{service: a.b, port: 80}]}]",
     "ingress[0].hosts[0]: expected a full name in lower case such as shop.example.com, or *.example.com, got '*'"),
    ("ingress: [{name: a, hosts: [a.b], credentialName: c, routes: [{service: a, port: 80}]}]",
     "ingress[0].routes[0].service: expected service.namespace, such as orders.shop, got 'a'"),
    (_OUT % "{host: a.b}", "egress.hosts[0]: expected at least one of namespaces and serviceAccounts: who may call it"),
    (_OUT % "{host: a.b, port: 70000, namespaces: [a]}", "egress.hosts[0].port: expected at most 65535, got 70000"),
    (_OUT % "{host: a.shop.svc.cluster.local, namespaces: [a]}",
     "egress.hosts[0]: expected a host outside the cluster: calls within it need no egress"),
    (_OUT % "{host: a.b, tls: passthrough, applicationPort: 80, namespaces: [a]}", "egress.hosts[0]: expected no "
     "applicationPort beside tls passthrough: the application speaks to the host"),
    (_OUT % "{host: a.b, port: 80, caCredential: c, namespaces: [a]}",
     "egress.hosts[0]: expected tls originate beside caCredential: else the gateway checks no certificate"),
    (_OUT % "{host: a.b, namespaces: [a], addresses: ['::1']}",
     "egress.hosts[0].addresses[0]: expected an IPv4 address such as 10.20.147.60, got '::1'"),
    (_OUT % "{host: a.b, namespaces: [a]}, {host: a.b, namespaces: [b]}",
     "egress: expected each host once, a.b is given twice"),
    (_OUT % "{host: a-b.c, namespaces: [a]}, {host: a.b-c, namespaces: [b]}",
     "egress: expected hosts that differ by more than dots and dashes, got a-b.c and a.b-c"),
    (_OUT % "{host: a.b, port: 5432, namespaces: [a]}, {host: c.d, port: 5432, namespaces: [a]}",
     "egress: expected addresses of a.b, c.d: port 5432 is shared (a.b, c.d)"),
    (_OUT % "{host: a.b, namespaces: [a]}, {host: c.d, port: 80, protocol: tcp, namespaces: [a]}",
     "egress: expected addresses of c.d: port 80 is shared (a.b, c.d)"),
    (_OUT % "{host: a.b, namespaces: [s], addresses: [127.0.0.1]}",
     "egress.hosts[0]: expected addresses outside the pod, got 127.0.0.1"),
    (_OUT % "{host: a.b, namespaces: [s], addresses: [10.0.0.1, 169.254.169.254]}",
     "egress.hosts[0]: expected addresses outside the pod, got 169.254.169.254"),
    (_OUT % "{host: a.b, port: 15001, namespaces: [s]}",
     "egress.hosts[0]: expected a port that is not one of the sidecar's own (15000 to 15099), got 15001"),
    (_OUT % ("{host: a.b, port: 5432, namespaces: [s], addresses: [10.0.0.1]}, "
             "{host: b.b, port: 5432, namespaces: [s], addresses: [10.0.0.1]}"),
     "egress: expected a.b and b.b to differ in port or addresses"),
    ("defaults: [{namespace: shop, timeout: 1s}]",
     "defaults[0]: expected services beside retries or timeout, and only there: each needs a route"),
    ("defaults: [{namespace: shop}]", "defaults[0]: expected something beside namespace: what holds for calls to it"),
    ("defaults: [{namespace: shop, services: [a], timeout: 5s, retries: {attempts: 1, perTry: 6s}}]",
     "defaults[0]: expected perTry to be at most timeout"),
    ("defaults: [{namespace: shop, loadBalancing: random}, {namespace: shop, loadBalancing: random}]",
     ": expected each namespace of defaults once, shop is given twice"),
    ("defaults: [{namespace: istio-system, rateLimit: {requests: 1}}]", f"defaults[0].namespace: {_ROOT}"),
    ("telemetry: {tracing: {service: jaeger}}",
     "telemetry.tracing.service: expected service.namespace, or a full host name, got 'jaeger'"),
    ("telemetry: {tracing: {service: a.b, sampling: all}}", "telemetry.tracing.sampling: expected a number, got 'all'"),
]  # fmt: skip


@pytest.mark.parametrize(("policy", "expected"), BAD_POLICIES, ids=[policy for policy, _ in BAD_POLICIES])
def test_a_bad_policy_is_one_line_with_file_line_and_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, policy: str, expected: str
) -> None:
    root = environment_folder(tmp_path, qa=f"policy: {{{policy}}}\n")
    monkeypatch.chdir(tmp_path)
    shown = [str(problem) for problem in problems_of("qa", root, VARIABLES)]
    key = expected if expected.startswith(":") else f".{expected}"
    assert shown[0] == f"environments/qa/environment.yaml:4: policy{key}"
    assert "SECRET" not in "".join(shown)


@pytest.mark.parametrize("suite", ["AES128-SHA", "ECDHE-RSA-AES128-SHA", "AES256-GCM-SHA384", "DES-CBC3-SHA"])
def test_weak_ciphers_are_refused(tmp_path: Path, suite: str) -> None:
    root = environment_folder(tmp_path, qa=f'policy: {{mtls: {{minTls: "1.2", cipherSuites: [{suite}]}}}}\n')
    (problem,) = problems_of("qa", root, VARIABLES)
    assert problem.key == "policy.mtls.cipherSuites"
    assert problem.text.startswith("expected strong cipher suites: ECDHE-ECDSA-AES256-GCM-SHA384, ")


@pytest.mark.parametrize(
    ("url", "is_good"),
    [
        ("https://prometheus.example.com", True),
        ("https://example.com:9443/prometheus/", True),
        ("http://127.0.0.1:9090", True),
        ("http://[::1]:9090", True),
        ("http://localhost:9090", True),
        ("http://prometheus.monitoring.svc.cluster.local", True),
        ("http://prometheus.example.com", False),
        ("http://svc", False),
        ("http://evil.example.com/.svc", False),
        ("https://user:PASSWORD@prometheus.example.com", False),
        ("https://prometheus.example.com:99999", False),
        ("https://prometheus.example.com/?a=b", False),
        ("https://[", False),
        ("ftp://prometheus.example.com", False),
        ("", False),
    ],
)
def test_where_prometheus_is(tmp_path: Path, url: str, is_good: bool) -> None:
    root = environment_folder(tmp_path, qa=f"monitoring: {{prometheusURL: '{url}'}}\n")
    problems = problems_of("qa", root, VARIABLES)
    assert [problem.key for problem in problems] == ([] if is_good else ["monitoring.prometheusURL"])
    assert "PASSWORD" not in str(problems)


@pytest.mark.parametrize(
    ("policy", "without", "key"),
    [
        (_OUT % "{host: a.b, namespaces: [a]}", "egressGateways", "policy.egress.hosts"),
        (_JWT, "ingressGateways", "policy.jwt"),
        (_HOST % "{anonymous: true}", "ingressGateways", "policy.hosts"),
    ],
)
def test_what_goes_through_a_gateway_needs_one(tmp_path: Path, policy: str, without: str, key: str) -> None:
    overlay = f"spec: {{components: {{{without}: [{{name: istio-{without[:-8]}gateway, enabled: false}}]}}}}\n"
    root = environment_folder(tmp_path, qa=f"policy: {{{policy}}}\n")
    (root / "qa/istiooperator.yaml").write_text(overlay)
    (problem,) = problems_of("qa", root, VARIABLES)
    assert (problem.line, problem.key) == (4, key)
    assert problem.text.startswith(f"expected an {without[:-8]} gateway in istiooperator.yaml: ")
