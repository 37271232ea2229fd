"""Monitoring that works: the installed configuration in a real Prometheus, its queries, and its page at the gateway."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from dashboard_queries import chosen
from mesh_workloads import apply_to
from own_environments import own_environments
from pod_ports import PodPort
from rendered_prometheus import RenderedPrometheus, rendered_prometheus
from requests_by_address import Answer, get, trusting
from sandboxes import Sandbox
from shop import SYSTEM, await_true, traffic_of, traffic_sandbox
from sohistio.model.dashboards import Source
from sohistio.monitoring.dashboards import dashboards
from sohistio.sandbox.traffic.addresses import loopback_of
from sohistio.system.certificates import Authority
from tokens import Issuer
from workloads import apply, namespace, pods_of

pytestmark = pytest.mark.e2e

HOST = "monitoring.example.com"
PARTS: dict[str, Any] = {"prometheus": {}, "grafana": {}, "kiali": {}, "jaeger": {}}


@dataclass(frozen=True)
class Monitored:
    """A mesh with all parts of monitoring, and Prometheus where its pod is."""

    sandbox: Sandbox
    folder: Path
    address: str
    authority: Authority
    issuer: Issuer
    prometheus: RenderedPrometheus

    def ask(self, path: str, *, host: str = HOST, token: str = "") -> Answer:
        """Through the ingress gateway. `host` is what the Host header says."""
        trusted = trusting(self.authority.certificate)
        if not token:
            return get(self.address, HOST, trusted, path, Host=host)
        return get(self.address, HOST, trusted, path, Host=host, Authorization=f"Bearer {token}")


def flags_for(folder: Path, address: str, issuer: Issuer, expose: dict[str, Any]) -> tuple[str, ...]:
    exposed = {"host": HOST, "credentialName": "monitoring-tls"} | expose
    return own_environments(
        folder,
        ingressAddress=address,
        policy={"jwt": [{"issuer": issuer.name, "audiences": ["mesh"], "jwks": issuer.jwks}]},
        monitoring=PARTS | {"expose": exposed},
    )


@pytest.fixture(scope="module")
def monitored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monitored]:
    folder = tmp_path_factory.mktemp("own")
    with ExitStack() as stack:
        box = stack.enter_context(traffic_sandbox(tmp_path_factory.mktemp("state"), nodes=1))
        address = f"127.{100 + traffic_of(box)['traffic']['number']}.2.10"
        issuer, authority = Issuer("https://login.example.com"), Authority("the test's")
        apply(box.api, namespace(SYSTEM, injected=False))
        issued = authority.issue((HOST,))
        tls = {"type": "kubernetes.io/tls", "stringData": {"tls.crt": issued.certificate, "tls.key": issued.key}}
        apply_to(
            box,
            f"/api/v1/namespaces/{SYSTEM}/secrets",
            {"kind": "Secret", "metadata": {"name": "monitoring-tls"}} | tls,
        )
        done = box.run("install", *flags_for(folder, address, issuer, {"claims": {"groups": ["on-call"]}}), "--yes")
        assert done.returncode == 0, done.stdout + done.stderr
        for port in _pod_ports(box):
            stack.enter_context(port)
        (pod,) = pods_of(box.api, SYSTEM, "prometheus")
        place = f"{loopback_of(pod['status']['podIP'])}:9090"
        certificate = box.folder / "tls" / "apiserver.crt"
        running = rendered_prometheus(box.api, tmp_path_factory.mktemp("prometheus"), place, certificate)
        yield Monitored(box, folder, address, authority, issuer, stack.enter_context(running))


def _pod_ports(box: Sandbox) -> Iterator[PodPort]:
    """istiod's and the proxies' ports, at their pods' addresses."""
    parts = {part["name"]: part for part in traffic_of(box)["parts"]}
    (istiod,) = [part["pid"] for name, part in parts.items() if name.startswith("istiod-")]
    words = Path(f"/proc/{istiod}/cmdline").read_text().split("\0")
    # The container's own arguments come first; the sandbox's, with a free port, count.
    metrics = [word.partition("=")[2] for word in words if word.startswith("--monitoringAddr=")][-1]
    for pod in pods_of(box.api, SYSTEM):
        at, name = loopback_of(pod["status"]["podIP"]), pod["metadata"]["name"]
        if pod["metadata"]["labels"].get("app") == "istiod":
            yield PodPort(at, 15014, f"http://{metrics}")
        elif f"envoy-{name}" in parts:
            origin = urlsplit(parts[f"envoy-{name}"]["address"])
            yield PodPort(at, 15020, f"http://{origin.netloc}")


def test_the_installed_configuration_scrapes_the_mesh_and_every_query_is_answered(monitored: Monitored) -> None:
    """Istio's own metrics need its own build of Envoy, which cannot be had here: those queries are only read."""
    prometheus = monitored.prometheus

    def targets(job: str) -> list[str]:
        return [item["value"][1] for item in prometheus.answer(f'up{{job="{job}"}}')]

    await_true(lambda: targets("istiod") == ["1"] * 3, 40)
    await_true(lambda: targets("proxies") == ["1"] * 6, 40)
    # The name kubernetes.default.svc leads nowhere on this machine.
    await_true(lambda: targets("kubernetes-apiservers") == ["0"], 40)
    # It finds itself by its annotations, and the other programs, which do not run here.
    applications = {"prometheus": "1", "grafana": "0", "kiali": "0", "jaeger": "0"}

    def found() -> dict[str, str]:
        return {item["metric"]["app"]: item["value"][1] for item in prometheus.answer('up{job="applications"}')}

    await_true(lambda: found() == applications, 40)
    (gateway,) = {item["metric"]["app"] for item in prometheus.answer('up{job="proxies",pod=~"istio-ingress.*"}')}
    assert gateway == "istio-ingressgateway"

    queries = [query for dashboard in dashboards() for query in dashboard.queries]
    over = {source: [item.expression for item in queries if item.source is source] for source in Source}
    for expression in over[Source.ISTIO_METRICS]:
        prometheus.answer(chosen(expression))
    real = (*over[Source.ISTIOD], *over[Source.ENVOY])

    def lacking() -> list[str]:
        return [expression for expression in real if not prometheus.answer(chosen(expression, "2m"))]

    deadline = time.monotonic() + 60
    while (missing := lacking()) and time.monotonic() < deadline:
        time.sleep(1)
    assert not missing, missing


def test_its_rules_are_read_and_find_nothing_wrong(monitored: Monitored) -> None:
    names = prometheus_rules(monitored)
    assert {"IstiodDown", "IstioConfigurationRejected", "IstioGatewayErrors"} <= names.keys()
    assert set(names.values()) == {"ok"}
    assert monitored.prometheus.answer("ALERTS") == []


def prometheus_rules(monitored: Monitored) -> dict[str, str]:
    token = monitored.issuer.token("mesh", groups=["on-call"])
    answer = monitored.ask("/prometheus/api/v1/rules", token=token)
    groups = json.loads(answer.body)["data"]["groups"]
    return {rule["name"]: rule["health"] for group in groups for rule in group["rules"]}


def test_a_page_takes_a_token_that_says_so(monitored: Monitored) -> None:
    good = monitored.issuer.token("mesh", groups=["on-call"])
    await_true(lambda: monitored.ask("/prometheus/-/healthy", token=good).status == 200, 30)
    tokens = {
        "none": ("", 403),
        "of somebody else's": (Issuer(monitored.issuer.name).token("mesh", groups=["on-call"]), 401),
        "expired": (monitored.issuer.token("mesh", seconds=-400, groups=["on-call"]), 401),
        "for another audience": (monitored.issuer.token("shop", groups=["on-call"]), 403),
        "without the group": (monitored.issuer.token("mesh", groups=["readers"]), 403),
    }
    for path in (
        "/prometheus/",
        "/prometheus",
        "/prometheus/-/healthy",
        "/prometheus/api/v1/query?query=up",
        "/grafana/",
    ):
        found = {name: monitored.ask(path, token=token).status for name, (token, _) in tokens.items()}
        assert found == {name: status for name, (_, status) in tokens.items()}, path
    # What has no program here is let in, and not there; what has no route does not exist.
    statuses = {path: monitored.ask(path, token=good).status for path in ("/grafana/", "/kiali/", "/jaeger/", "/")}
    assert statuses == {"/grafana/": 503, "/kiali/": 503, "/jaeger/": 503, "/": 404}


@pytest.mark.parametrize("host", [f"{HOST}:443", f"{HOST}.", HOST.upper()])
def test_no_way_to_write_the_host_goes_around_it(monitored: Monitored, host: str) -> None:
    assert monitored.ask("/prometheus/-/healthy", host=host).status in (403, 404)


def test_an_allow_list_of_addresses(monitored: Monitored, tmp_path: Path) -> None:
    """The sandbox's load balancer calls the gateway from 127.0.0.1, whoever calls it."""
    refused = monitored.sandbox.run(
        "plan", *flags_for(tmp_path, monitored.address, monitored.issuer, {"addresses": ["127.0.0.0/8"]})
    )
    assert refused.returncode == 2
    assert "expected k8s.service.externalTrafficPolicy: Local of istio-ingressgateway" in refused.stderr
    gateway = {"name": "istio-ingressgateway", "k8s": {"service": {"externalTrafficPolicy": "Local"}}}
    local = {"spec": {"components": {"ingressGateways": [gateway]}}}

    def install(expose: dict[str, Any], operator: dict[str, Any]) -> subprocess.CompletedProcess[str]:
        flags = flags_for(tmp_path, monitored.address, monitored.issuer, expose)
        if operator:
            Path(flags[-1], "local", "istiooperator.yaml").write_text(json.dumps(operator))
        return monitored.sandbox.run("install", *flags, "--yes")

    for addresses, status in ((["10.20.0.0/16"], 403), (["10.20.0.0/16", "127.0.0.0/8"], 200)):
        done = install({"addresses": addresses}, local)
        assert done.returncode == 0, done.stdout + done.stderr
        await_true(lambda status=status: monitored.ask("/prometheus/-/healthy").status == status, 30)  # type: ignore[misc]

    # Back to tokens: the gateways stop seeing addresses only after the rule that goes by them is gone.
    claims = {"claims": {"groups": ["on-call"]}}
    at_once = install(claims, {})
    assert at_once.returncode == 3
    assert "lets callers in by address, and the gateways would stop seeing addresses" in at_once.stderr
    assert install(claims, local).returncode == 0
    await_true(lambda: monitored.ask("/prometheus/-/healthy").status == 403, 30)
    assert install(claims, {}).returncode == 0


def deny(sandbox: Sandbox, *resources: str) -> None:
    """An admission policy of somebody's keeps these from being changed and deleted."""
    rule = {"apiGroups": ["networking.istio.io"], "apiVersions": ["*"], "operations": ["UPDATE", "DELETE"]}
    matches = {"resourceRules": [rule | {"resources": list(resources)}]}
    kind = {"apiVersion": "admissionregistration.k8s.io/v1", "metadata": {"name": "kept"}}
    group = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolic"
    spec: dict[str, Any] = {"matchConstraints": matches, "validations": [{"expression": "false"}]}
    sandbox.api.create(f"{group}ies", kind | {"kind": "ValidatingAdmissionPolicy", "spec": spec})
    spec = {"policyName": "kept", "validationActions": ["Deny"]}
    sandbox.api.create(f"{group}ybindings", kind | {"kind": "ValidatingAdmissionPolicyBinding", "spec": spec})


def test_a_page_whose_route_cannot_be_taken_away_stays_closed(monitored: Monitored, tmp_path: Path) -> None:
    """Another host of the policy stays: its guard is changed, not deleted."""
    other = [{"hosts": ["shop.example.com"], "allow": [{"paths": ["/api/*"]}]}]
    jwt = [{"issuer": monitored.issuer.name, "audiences": ["mesh"], "jwks": monitored.issuer.jwks}]

    def install(**keys: Any) -> tuple[int, str]:
        policy = {"jwt": jwt, "hosts": other}
        flags = own_environments(tmp_path, ingressAddress=monitored.address, policy=policy, monitoring=PARTS | keys)
        done = monitored.sandbox.run("install", *flags, "--yes")
        return done.returncode, done.stdout + done.stderr

    exposed = {"host": HOST, "credentialName": "monitoring-tls", "claims": {"groups": ["on-call"]}}
    code, said = install(expose=exposed)
    assert code == 0, said
    await_true(lambda: monitored.ask("/prometheus/-/healthy").status == 403, 30)
    deny(monitored.sandbox, "gateways", "virtualservices")
    await_true(lambda: install()[0] == 1, 60)  # the API server hears of a new policy a moment later
    code, said = install()
    assert (code, "open 1 host of the ingress gateway" in said) == (1, True), said
    time.sleep(2)
    assert monitored.ask("/prometheus/-/healthy").status == 403
    good = monitored.issuer.token("mesh", groups=["on-call"])
    assert monitored.ask("/prometheus/-/healthy", token=good).status == 200
    monitored.sandbox.api.delete("/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings/kept")
    await_true(lambda: install()[0] == 0, 60)

    def is_gone() -> bool:
        try:
            return monitored.ask("/prometheus/-/healthy", token=good).status == 404
        except OSError:  # nobody else is served at this port
            return True

    await_true(is_gone, 30)
