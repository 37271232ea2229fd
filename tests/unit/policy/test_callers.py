"""Callers that no rule of `policy.workloads` lets in."""

from __future__ import annotations

import pytest

from lockouts import Raw, around, found_in, istio, pod_of, service_of
from sohistio.model.policy import Policy
from sohistio.model.policy_access import Operation, WorkloadAccess, WorkloadRule
from sohistio.model.traffic import Call, Peer, Traffic
from sohistio.plan.changes import ref_of
from sohistio.policy.let_in import Client, lets_in
from sohistio.policy.render import rendered
from sohistio.policy.running import running

LEDGER = pod_of("payments", "ledger")
CHECKOUT, REPORTS = "spiffe://cluster.local/ns/shop/sa/checkout", "spiffe://cluster.local/ns/reports/sa/nightly"


def closed(*allow: WorkloadRule, app: str = "ledger") -> Policy:
    return Policy(workloads=(WorkloadAccess("payments", (("app", app),), allow),))


def traffic(*principals: str, tcp: bool = False) -> Traffic:
    def peer(principal: str) -> Peer:
        parts = principal.split("/")
        return Peer.of(parts[4], parts[6], principal) if len(parts) == 7 else Peer.of("unknown", "unknown", principal)

    calls = (Call(peer(name), Peer("payments", "ledger"), tcp, 5) for name in principals)
    return Traffic(calls=tuple(calls))


FROM_SHOP = WorkloadRule(namespaces=("shop",))
REFUSED = (
    "policy.workloads would refuse them: Deployment payments/ledger was called in the last day by reports/nightly as "
    "cluster.local/ns/reports/sa/nightly (5 requests); no rule lets them in"
)


@pytest.mark.parametrize(
    ("policy", "callers", "found"),
    [
        (closed(FROM_SHOP), (CHECKOUT,), {}),
        (closed(FROM_SHOP), (CHECKOUT, REPORTS), {REFUSED: "error"}),
        (closed(WorkloadRule(service_accounts=("shop/checkout",))), (CHECKOUT, REPORTS), {REFUSED: "error"}),
        (closed(WorkloadRule(principals=("cluster.local/ns/shop/sa/checkout",))), (CHECKOUT,), {}),
        (closed(WorkloadRule(operation=Operation(("/api/*",)))), (REPORTS,), {}),
        (closed(), (REPORTS,), {REFUSED: "error"}),
        (closed(FROM_SHOP, app="other"), (REPORTS,), {}),
        (
            closed(FROM_SHOP),
            ("unknown",),
            {
                "policy.workloads would refuse them: Deployment payments/ledger was called in the last day by unknown "
                "clients (5 requests); no rule lets them in": "error"
            },
        ),
    ],
)
def test_callers_of_the_last_day(policy: Policy, callers: tuple[str, ...], found: dict[str, str]) -> None:
    assert found_in(around(policy, LEDGER, traffic=traffic(*callers))) == found


def test_rules_about_requests_let_no_connection_in() -> None:
    policy = closed(WorkloadRule(namespaces=("shop",), operation=Operation(("/api/*",))))
    assert found_in(around(policy, LEDGER, traffic=traffic(CHECKOUT))) == {}
    assert list(found_in(around(policy, LEDGER, traffic=traffic(CHECKOUT, tcp=True))).values()) == ["error"]


def test_who_is_refused_today_loses_nothing() -> None:
    policy = closed(FROM_SHOP)
    live = rendered(policy, "qa").objects
    assert found_in(around(policy, LEDGER, live=live, traffic=traffic(REPORTS))) == {}


def test_people_let_them_in_as_well() -> None:
    rules = [{"from": [{"source": {"serviceAccounts": ["reports/nightly"]}}]}]
    own = istio("AuthorizationPolicy", "payments", "own", rules=rules)
    assert found_in(around(closed(FROM_SHOP), LEDGER, live=[own], traffic=traffic(REPORTS))) == {}


def test_the_ingress_gateway_is_a_caller_as_well() -> None:
    gateway = pod_of("istio-system", "istio-ingressgateway", gateway=True, account="gateway-account")
    route = {"route": [{"destination": {"host": "ledger.payments.svc.cluster.local"}}]}
    servers = [{"port": {"number": 443}, "hosts": ["*"]}]
    opened = istio("Gateway", "shop", "web", selector={"istio": "ingressgateway"}, servers=servers)
    virtual = istio("VirtualService", "shop", "web", hosts=["x"], gateways=["shop/web"], http=[route])
    services = [service_of("payments", "ledger")]
    found = found_in(around(closed(FROM_SHOP), LEDGER, gateway, live=[opened, virtual], services=services))
    assert found == {
        "policy.workloads would refuse the gateway: VirtualService shop/web leads from the ingress gateway to "
        "Deployment payments/ledger; no rule lets it in": "error"
    }
    let_in = closed(FROM_SHOP, WorkloadRule(service_accounts=("istio-system/gateway-account",)))
    assert found_in(around(let_in, LEDGER, gateway, live=[opened, virtual], services=services)) == {}
    opened["spec"]["selector"] = {"istio": "egressgateway"}
    assert found_in(around(closed(FROM_SHOP), LEDGER, gateway, live=[opened, virtual], services=services)) == {}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"rules": [{}]}, True),
        ({}, False),
        ({"action": "DENY", "rules": [{}]}, True),
        ({"selector": {"matchLabels": {"app": "other"}}}, True),
        ({"rules": [{"from": [{"source": {"principals": ["*"]}}]}]}, True),
        ({"rules": [{"from": [{"source": {"principals": ["td/ns/shop/sa/*"]}}]}]}, True),
        ({"rules": [{"from": [{"source": {"principals": ["*/sa/checkout"]}}]}]}, True),
        ({"rules": [{"from": [{"source": {"namespaces": ["other"]}}]}]}, False),
        ({"rules": [{"from": [{"source": {"namespaces": ["shop"], "principals": ["x/ns/a/sa/b"]}}]}]}, False),
        ({"rules": [{"from": [{"source": {"ipBlocks": ["10.0.0.0/8"]}}]}]}, True),
        ({"rules": [{"from": [{"source": {"serviceAccounts": ["checkout"]}}]}]}, False),
    ],
)
def test_whom_a_policy_lets_in(spec: Raw, expected: bool) -> None:
    obj = istio("AuthorizationPolicy", "payments", "own", **spec)
    client = Client.of_account("shop", "checkout")
    assert lets_in({ref_of(obj): obj}, running([LEDGER])[0], client) is expected
    obj["metadata"]["annotations"] = {"istio.io/dry-run": "true"}
    assert lets_in({ref_of(obj): obj}, running([LEDGER])[0], client)
