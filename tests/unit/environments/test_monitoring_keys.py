"""The key `monitoring`: what it becomes, and what is refused, with file, line and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from environment_folder import OPERATOR, VARIABLES, environment_folder
from sohistio.environments.load import load_environment, problems_of
from sohistio.environments.model import Environment
from sohistio.model.monitoring import (
    Alerts,
    Exposure,
    Grafana,
    Jaeger,
    Kiali,
    Mail,
    Monitoring,
    Part,
    Prometheus,
    SecretKey,
    Storage,
)
from sohistio.model.policy import Policy, Tracing
from sohistio.model.policy_access import HostAccess, HostRule
from sohistio.model.policy_traffic import IngressHosts, Route

JWT = """\
policy:
  jwt: [{issuer: "https://login.example.com", audiences: [mesh], jwksUri: "https://login.example.com/keys"}]
"""
ALL = """\
monitoring:
  prometheus: {retention: 720h, memory: 8Gi, storage: {size: 100Gi, storageClass: managed-csi}}
  grafana: {storage: {size: 5Gi}}
  kiali: {viewOnly: false}
  jaeger: {traces: 1000, sampling: 12.5}
  alerts:
    webhook: {secret: on-call}
    teams: {secret: on-call, key: teams}
    email:
      to: [a@example.com]
      from: mesh@example.com
      smarthost: smtp.example.com:587
      username: mesh
      password: {secret: mail}
  expose: {host: monitoring.example.com, credentialName: monitoring-tls, claims: {groups: [on-call]}}
  runbookURL: https://wiki.example.com/mesh
"""
LOCAL = OPERATOR.replace(
    "        enabled: true\n    egress",
    "        enabled: true\n        k8s: {service: {externalTrafficPolicy: Local}}\n    egress",
)


def qa(tmp_path: Path, text: str, *, base: str = "", operator: str = OPERATOR) -> Environment:
    return load_environment("qa", environment_folder(tmp_path, qa=text, base=base, operator=operator), VARIABLES)


def test_everything_that_can_be_said(tmp_path: Path) -> None:
    environment = qa(tmp_path, JWT + ALL)
    assert environment.monitoring.data() == Monitoring(
        Prometheus(720 * 3600, "8Gi", Storage("100Gi", "managed-csi")),
        Grafana(Storage("5Gi")),
        Kiali(view_only=False),
        Jaeger(1000, 12.5),
        Alerts(
            SecretKey("on-call", "url"),
            SecretKey("on-call", "teams"),
            Mail(("a@example.com",), "mesh@example.com", "smtp.example.com:587", "mesh", SecretKey("mail", "password")),
        ),
        Exposure("monitoring.example.com", "monitoring-tls", (("groups", ("on-call",)),)),
        "https://wiki.example.com/mesh",
    )


def test_without_the_key_there_is_nothing(tmp_path: Path) -> None:
    environment = qa(tmp_path, "")
    assert (environment.monitoring.data(), environment.mesh_policy()) == (Monitoring(), Policy())


def test_an_environment_can_switch_off_what_all_others_have(tmp_path: Path) -> None:
    base = "monitoring: {prometheus: {}, grafana: {}, kiali: {}}\n"
    assert qa(tmp_path, "", base=base).monitoring.data().parts == (Part.PROMETHEUS, Part.GRAFANA, Part.KIALI)
    off = qa(tmp_path, "monitoring: {grafana: null}\n", base=base)
    assert off.monitoring.data().parts == (Part.PROMETHEUS, Part.KIALI)


def test_proxies_trace_to_jaeger(tmp_path: Path) -> None:
    policy = qa(tmp_path, "monitoring: {jaeger: {sampling: 5}}\n").mesh_policy()
    assert policy.telemetry is not None
    assert policy.telemetry.tracing == Tracing("jaeger-collector.istio-system", 4317, 5.0)
    beside = qa(tmp_path, "monitoring: {jaeger: {}}\npolicy: {telemetry: {accessLog: json}}\n").mesh_policy()
    assert beside.telemetry is not None
    assert (beside.telemetry.access_log, beside.telemetry.tracing is not None) == (True, True)
    providers = qa(tmp_path, "monitoring: {jaeger: {}}\n").operator_for()["spec"]["meshConfig"]["extensionProviders"]
    service = {"service": "jaeger-collector.istio-system.svc.cluster.local", "port": 4317}
    assert providers == [{"name": "sohistio-tracing", "opentelemetry": service}]


def test_exposed_pages_are_closed_but_for_one_rule(tmp_path: Path) -> None:
    expose = "{host: m.example.com, credentialName: tls, claims: {groups: [on-call]}}"
    found = qa(tmp_path, f"{JWT}monitoring:\n  prometheus: {{}}\n  jaeger: {{}}\n  expose: {expose}\n").mesh_policy()
    assert found.hosts == (HostAccess(("m.example.com",), (HostRule(claims=(("groups", ("on-call",)),)),)),)
    routes = (
        Route("/prometheus", "prometheus", "istio-system", 9090),
        Route("/jaeger", "jaeger", "istio-system", 16686),
    )
    assert found.ingress == (IngressHosts("monitoring", ("m.example.com",), "tls", routes),)
    by_address = "{host: m.example.com, credentialName: tls, addresses: [10.20.0.0/16]}"
    found = qa(tmp_path, f"monitoring:\n  prometheus: {{}}\n  expose: {by_address}\n", operator=LOCAL).mesh_policy()
    (access,) = found.hosts
    assert access.allow == (HostRule(anonymous=True, addresses=("10.20.0.0/16",)),)


EXPOSE = "host: m.example.com, credentialName: tls"
CLAIMS = f"{EXPOSE}, claims: {{groups: [on-call]}}"
WRONG = {
    "prometheus: {retention: 1h}": "monitoring.prometheus.retention: expected 2h at least",
    "prometheus: {memory: lots}": "monitoring.prometheus.memory: expected memory of 500Mi at least",
    "prometheus: {memory: 1Mi}": "expected memory of 500Mi at least",
    "prometheus: {storage: {size: 1Mi}}": "expected a size such as 50Gi",
    "prometheus: {storage: {size: 1Gi, storageClass: 'A B'}}": "expected the name of a StorageClass",
    "prometheus: {}\n  alerts: {webhook: {secret: istio-ca-secret, key: ca-key.pem}}": "is no Secret for receivers",
    "prometheus: {}\n  alerts: {webhook: {secret: grafana-admin}}": "is no Secret for receivers",
    "prometheus: {}\n  alerts: {webhook: {secret: a, key: ..data}}": "expected a key of a Secret",
    "prometheus: {}\n  alerts: {email: {to: [a@b.c], from: a@b.c, smarthost: 'a:99999'}}": "the mail server as",
    "prometheus: {storage: {}}": "monitoring.prometheus.storage.size: is missing",
    "prometheus: {storage: {size: 0Gi}}": "monitoring.prometheus.storage.size: expected a size",
    "prometheus: {storage: 50Gi}": "monitoring.prometheus.storage: expected keys and values",
    "prometheus: true": "monitoring.prometheus: expected keys and values",
    "prometeus: {}": "did you mean prometheus?",
    "grafana: {}": "expected prometheus beside grafana",
    "kiali: {}": "expected prometheus beside kiali",
    "alerts: {webhook: {secret: a}}": "expected prometheus beside alerts",
    "prometheus: {}\n  alerts: {}": "monitoring.alerts: expected one of webhook, teams and email",
    "prometheus: {}\n  alerts: {webhook: https://hooks.example.com/secret}": "expected keys and values",
    "prometheus: {}\n  alerts: {webhook: {secret: a, key: '../b'}}": "expected a key of a Secret",
    "prometheus: {}\n  alerts: {email: {to: [], from: a@b.c, smarthost: 'a:25'}}": "expected at least one",
    "prometheus: {}\n  alerts: {email: {to: ['a@b, c@d'], from: a@b.c, smarthost: 'a:25'}}": "expected an e-mail",
    "prometheus: {}\n  alerts: {email: {to: [a@b.c], from: a@b.c, smarthost: a}}": "the mail server as host:port",
    "prometheus: {}\n  alerts: {email: {to: [a@b.c], from: a@b.c, smarthost: 'a:25', username: x}}": (
        "expected username and password, or neither"
    ),
    "jaeger: {traces: 0}": "monitoring.jaeger.traces: expected at least 100, got 0",
    "jaeger: {sampling: 101}": "monitoring.jaeger.sampling: expected at most 100.0, got 101",
    f"expose: {{{EXPOSE}, addresses: [10.0.0.0/8]}}": "expected prometheus, grafana, kiali or jaeger beside expose",
    f"jaeger: {{}}\n  expose: {{{EXPOSE}}}": "expected one of claims (what a token must say) and addresses",
    f"jaeger: {{}}\n  expose: {{{EXPOSE}, claims: {{a: [b]}}}}": "expected policy.jwt (whose tokens are let in)",
    f"jaeger: {{}}\n  expose: {{{EXPOSE}, addresses: []}}": "expected at least one",
    f"jaeger: {{}}\n  expose: {{{EXPOSE}, addresses: [0.0.0.0/0]}}": "expected ranges of your own",
    f"jaeger: {{}}\n  expose: {{{EXPOSE}, addresses: ['::/0']}}": "expected ranges of your own",
    **{
        f"jaeger: {{}}\n  expose: {{{EXPOSE}, addresses: ['{address}']}}": "expected ranges of your own"
        for address in ("0.0.0.0/1", "128.0.0.0/1", "8000::/1", "2000::/3", "::ffff:0:0/96", "::ffff:10.0.0.0/104")
    },
    **{
        f"jaeger: {{}}\n  expose: {{{EXPOSE}, addresses: ['{address}']}}": "expected addresses or ranges"
        for address in ("10.0.0.1/8", "10.0.0.0/255.0.0.0", "fe80::1%eth0", "10.0.0.0/8, 0.0.0.0/0", "localhost")
    },
    f"jaeger: {{}}\n  expose: {{{EXPOSE}, addresses: [10.0.0.0/8]}}": (
        "expected k8s.service.externalTrafficPolicy: Local of istio-ingressgateway"
    ),
    f"jaeger: {{}}\n  expose: {{{EXPOSE}, addresses: [10.0.0.0/8], claims: {{a: [b]}}}}": (
        "expected one of claims (what a token must say) and addresses"
    ),
    "runbookURL: http://wiki": "expected the https URL",
    "runbookURL: 'https://wiki.example.com/{{ $value'": "expected the https URL",
    "runbookURL: https://wiki.example.com/mesh#top": "expected the https URL",
}


@pytest.mark.parametrize(("keys", "expected"), WRONG.items(), ids=list(WRONG))
def test_what_cannot_be(tmp_path: Path, keys: str, expected: str) -> None:
    root = environment_folder(tmp_path, qa=f"monitoring:\n  {keys}\n")
    problems = [str(problem) for problem in problems_of("qa", root, VARIABLES)]
    assert any(expected in problem for problem in problems), problems
    assert all("qa/environment.yaml" in problem for problem in problems)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            JWT + "  stage: audit\n" + f"monitoring:\n  jaeger: {{}}\n  expose: {{{CLAIMS}}}\n",
            "expected policy.stage enforce: in stage audit anybody could open the pages",
        ),
        (
            JWT
            + "  hosts: [{hosts: [m.example.com], allow: [{anonymous: true}]}]\n"
            + f"monitoring:\n  jaeger: {{}}\n  expose: {{{CLAIMS}}}\n",
            "m.example.com is in policy as well: expected a host of its own",
        ),
        (
            JWT
            + "  ingress: [{name: web, hosts: [p.example.com], credentialName: t, routes: "
            + "[{service: prometheus.istio-system, port: 9090}]}]\n",
            "web leads to prometheus.istio-system: expected monitoring.expose, which guards it",
        ),
        (
            JWT.replace("mesh]", "mesh], forward: true")
            + f"monitoring:\n  prometheus: {{}}\n  grafana: {{}}\n  expose: {{{CLAIMS}}}\n",
            "expected no forward: true beside monitoring.expose",
        ),
        (
            "policy: {telemetry: {tracing: {service: a.b}}}\nmonitoring: {jaeger: {}}\n",
            "is set by monitoring.jaeger: expected one of the two",
        ),
    ],
)
def test_what_cannot_be_beside_a_policy(tmp_path: Path, text: str, expected: str) -> None:
    problems = [str(problem) for problem in problems_of("qa", environment_folder(tmp_path, qa=text), VARIABLES)]
    assert any(expected in problem for problem in problems), problems


def test_the_operator_does_not_set_what_jaeger_sets(tmp_path: Path) -> None:
    operator = OPERATOR + "  meshConfig: {extensionProviders: []}\n"
    root = environment_folder(tmp_path, qa="monitoring: {jaeger: {}}\n", operator=operator)
    (problem,) = problems_of("qa", root, VARIABLES)
    assert "is set by policy.telemetry or monitoring.jaeger in environment.yaml" in str(problem)


@pytest.mark.parametrize(
    ("gateway", "mesh"),
    [
        ("{service: {externalTrafficPolicy: Cluster}}", ""),
        (
            "{service: {externalTrafficPolicy: Local}, overlays: [{kind: Service, name: istio-ingressgateway, "
            "patches: [{path: spec.externalTrafficPolicy, value: Cluster}]}]}",
            "",
        ),
        (
            "{service: {externalTrafficPolicy: Local}, podAnnotations: {proxy.istio.io/config: "
            "'gatewayTopology: {numTrustedProxies: 1}'}}",
            "",
        ),
        (
            "{service: {externalTrafficPolicy: Local}}",
            "  meshConfig: {defaultConfig: {gatewayTopology: {proxyProtocol: {}}}}\n",
        ),
    ],
    ids=["cluster", "overlay", "annotation", "proxy-protocol"],
)
def test_addresses_need_a_gateway_that_sees_them(tmp_path: Path, gateway: str, mesh: str) -> None:
    operator = LOCAL.replace("{service: {externalTrafficPolicy: Local}}", gateway) + mesh
    qa_keys = f"monitoring:\n  jaeger: {{}}\n  expose: {{{EXPOSE}, addresses: [10.0.0.0/8]}}\n"
    (problem,) = problems_of("qa", environment_folder(tmp_path, qa=qa_keys, operator=operator), VARIABLES)
    assert problem.key == "monitoring.expose.addresses"


def test_an_environment_can_have_nothing_of_what_all_others_have(tmp_path: Path) -> None:
    base = "monitoring: {prometheus: {}}\n"
    assert qa(tmp_path, "monitoring: null\n", base=base).monitoring.data() == Monitoring()
