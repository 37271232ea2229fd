"""External hosts that registryOnly would close."""

from __future__ import annotations

from typing import Any

import pytest

from lockouts import Raw, around, found_in, istio, pod_of, service_of
from sohistio.model.outside import OutsideProtocol, OutsideTls
from sohistio.model.policy import Policy
from sohistio.model.policy_traffic import Egress, ExternalHost
from sohistio.model.traffic import Call, Peer, Traffic
from sohistio.policy.outside_hosts import outside_hosts

API = "api.example.com"
ORDERS = service_of("other", "orders")
GIVEN = (
    "policy.egress would close what it calls of these: Deployment shop/web is given api.example.com:443, which nothing "
    "declares for shop"
)


def declared(*, namespaces: tuple[str, ...] = ("shop",), accounts: tuple[str, ...] = ()) -> ExternalHost:
    return ExternalHost(API, 443, 80, OutsideProtocol.HTTP, OutsideTls.ORIGINATE, namespaces, accounts)


def registry_only(*hosts: ExternalHost) -> Policy:
    return Policy(egress=Egress(hosts=hosts))


def web(**env: str) -> Raw:
    return pod_of("shop", "web", env=env or {"API_URL": f"https://{API}/v1"}, account="web")


def entry(host: str = API, **spec: Any) -> Raw:
    return istio("ServiceEntry", "partners", "api", hosts=[host], **spec)


@pytest.mark.parametrize(
    ("policy", "pod", "more", "found"),
    [
        (registry_only(), web(), {}, {GIVEN: "warning"}),
        (registry_only(), web(), {"outside_is_closed": True}, {}),
        (Policy(egress=Egress(registry_only=False)), web(), {}, {}),
        (registry_only(declared()), web(), {}, {}),
        (registry_only(declared(namespaces=(), accounts=("shop/web",))), web(), {}, {}),
        (registry_only(declared(namespaces=(), accounts=("shop/other",))), web(), {}, {GIVEN: "warning"}),
        (registry_only(declared(namespaces=("other",))), web(), {}, {GIVEN: "warning"}),
        (registry_only(), web(), {"live": [entry()]}, {}),
        (registry_only(), web(), {"live": [entry("*.example.com")]}, {}),
        (registry_only(), web(), {"live": [entry(exportTo=["."])]}, {GIVEN: "warning"}),
        (registry_only(), web(), {"live": [entry(exportTo=["shop"])]}, {}),
        (registry_only(), pod_of("shop", "web", sidecar=False, env={"A": f"https://{API}"}), {}, {}),
        (
            registry_only(),
            web(),
            {"live": [istio("Sidecar", "shop", "default", outboundTrafficPolicy={"mode": "ALLOW_ANY"})]},
            {},
        ),
        (registry_only(), web(A="http://orders.other:80", B="orders.other:80"), {"services": [ORDERS]}, {}),
        (registry_only(), web(A="10.0.0.9:80"), {"services": [ORDERS]}, {}),
    ],
)  # fmt: skip
def test_hosts_in_arguments_and_environment(policy: Policy, pod: Raw, more: Raw, found: dict[str, str]) -> None:
    assert found_in(around(policy, pod, **more)) == found


@pytest.mark.parametrize(
    ("name", "value", "hosts"),
    [
        ("URL", "https://api.example.com/v1", ["api.example.com:443"]),
        ("", "https://api.example.com:8443", ["api.example.com:8443"]),
        ("DSN", "postgres://shop:s3cr.et@db.example.com:5432/shop?sslmode=require", ["db.example.com:5432"]),
        ("DSN", "postgres://shop:s3/cr.et@db.example.com:5432/shop", []),
        ("DSN", "amqp://a.b:123/x@db.example.com", []),
        ("CONNECTION", "jdbc:sqlserver://db.example.com:1433;databaseName=x;password=a.b:1", ["db.example.com:1433"]),
        ("CONNECTION", "Server=tcp:db.example.com,1433;User ID=u;Password=hidden.word:80;", ["db.example.com:1433"]),
        ("CONNECTION", "Host=db.example.com;Username=u;Password=hidden.word", ["db.example.com"]),
        ("BROKERS", "a.kafka.example:9092,b.kafka.example:9092", ["a.kafka.example:9092", "b.kafka.example:9092"]),
        ("DB_HOST", "db.example.com", ["db.example.com"]),
        ("MAIN_CLASS", "com.example.Main", []),
        ("CONFIG", "application.yaml", []),
        ("API_TOKEN", "abc.def:80", []),
        ("DB_PASSWORD", "abc.def:80", []),
        ("API_KEY", "abc.def:80", []),
        ("TOKEN_URL", "https://login.example.com/token", ["login.example.com:443"]),
        ("", "user:pass@db.example.com:80", []),
        ("URL", "http://localhost:80 http://127.0.0.1:80 http://169.254.169.254/x", []),
        ("URL", "http://orders.shop.svc.cluster.local:80 http://orders:80", []),
        ("URL", "http://52.1.2.3:80/x", ["52.1.2.3:80"]),
        ("URL", "http://API.Example.com./x", ["api.example.com:80"]),
        ("URL", "http://[::1]:80/x", []),
        ("TIME", "12:30:15", []),
        ("PORT", "a.b:99999", []),
    ],
)
def test_hosts_and_never_values(name: str, value: str, hosts: list[str]) -> None:
    assert sorted(map(str, outside_hosts([(name, value)]))) == hosts


def test_services_that_stand_for_external_hosts() -> None:
    service = service_of("shop", "partner", "ExternalName", externalName="API.example.com.", selector=None)
    assert found_in(around(registry_only(), services=[service])) == {
        "policy.egress would close it: Service shop/partner stands for api.example.com, which nothing declares "
        "there": "warning"
    }
    assert found_in(around(registry_only(declared()), services=[service])) == {}
    service["spec"]["externalName"] = "orders.other.svc.cluster.local"
    assert found_in(around(registry_only(), services=[service])) == {}


def test_workloads_that_called_unknown_hosts_yesterday() -> None:
    traffic = Traffic(
        passthrough=(Call(Peer("shop", "web"), Peer(), count=7), Call(Peer("shop", "web"), Peer(), tcp=True, count=3))
    )
    found = found_in(around(registry_only(), traffic=traffic))
    assert found == {
        "policy.egress would close them: shop/web made 10 calls of the last day to external hosts that no registry "
        "has, and none is declared for shop; metrics do not name them": "error"
    }
    some = found_in(around(registry_only(declared()), traffic=traffic))
    assert list(some.values()) == ["warning"]


def test_hosts_for_namespaces_whose_pods_have_no_sidecar() -> None:
    policy = registry_only(declared(namespaces=("batch", "absent")))
    found = found_in(around(policy, pod_of("batch", "job", sidecar=False), outside_is_closed=True))
    assert found == {
        "policy.egress declares api.example.com for batch, whose pods have no sidecar: nothing restricts what they "
        "call": "warning"
    }
