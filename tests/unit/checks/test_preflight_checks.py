"""Preflight's judgements on what was read: namespaces, secrets, webhooks, budgets, addresses, images, findings."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import replace
from typing import Any

import pytest

from observed import budget, state, webhook
from preflights import faults, goods, node, pod
from sohistio.checks.preflight.address import addresses
from sohistio.checks.preflight.analysis import judged
from sohistio.checks.preflight.basics import distance
from sohistio.checks.preflight.budgets import blocking, overlapping
from sohistio.checks.preflight.check import Good
from sohistio.checks.preflight.images import closing_hubs, hubs, hubs_of_files
from sohistio.checks.preflight.namespaces import applications, pull_secret_places, pull_secrets, systems
from sohistio.checks.preflight.webhooks import is_istios, stale
from sohistio.model.desired import DesiredService
from sohistio.model.fault import Fault, Severity
from sohistio.model.finding import Finding
from sohistio.model.state import ObjectRef, ObservedNamespace
from sohistio.model.webhooks import Reach, WebhookConfiguration


def seen(name: str, injection: str | None = None, revision: str | None = None, **more: Any) -> ObservedNamespace:
    injected = injection == "enabled" or (injection is None and revision == "default")
    return ObservedNamespace(name, injected, injection, revision, **more)


@pytest.mark.parametrize(
    ("namespace", "message"),
    [
        (seen("shop", "enabled"), ""),
        (seen("shop", revision="default"), ""),
        (seen("other", "enabled"), "shop does not exist"),
        (seen("shop"), "shop is not labelled istio-injection=enabled (it has no label)"),
        (seen("shop", "disabled"), "shop is not labelled istio-injection=enabled (it has istio-injection=disabled)"),
        (seen("shop", "enabled", ending=True), "shop is being deleted"),
    ],
)
def test_application_namespaces(namespace: ObservedNamespace, message: str) -> None:
    assert faults(applications(["shop"], [namespace], ())) == ([message] if message else [])


def test_a_namespace_that_the_install_labels_is_no_fault() -> None:
    assert goods(applications(["shop"], [seen("shop")], ["shop"])) == ["shop is there, and is labelled by the install"]


@pytest.mark.parametrize(
    ("namespace", "label"),
    [
        (seen("kube-system"), ""),
        (seen("kube-system", "disabled", "canary"), ""),
        (seen("default", "enabled"), "istio-injection=enabled"),
        (seen("calico-system", revision="canary"), "istio.io/rev=canary"),
        (seen("shop", "enabled"), ""),
    ],
)
def test_system_namespaces(namespace: ObservedNamespace, label: str) -> None:
    found = list(systems([namespace]))
    assert faults(found) == ([f"{namespace.name} is labelled {label}"] if label else [])
    if label:
        assert isinstance(found[0], Fault)
        assert found[0].hint == f"kubectl label namespace {namespace.name} {label.partition('=')[0]}-"


def secret(*hosts: str, kind: str = "kubernetes.io/dockerconfigjson") -> dict[str, Any]:
    config = {"auths": {host: {"username": "u", "password": "hidden", "auth": "aGlkZGVu"} for host in hosts}}
    return {"type": kind, "data": {".dockerconfigjson": b64encode(json.dumps(config).encode()).decode()}}


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (secret("dtr.metlife.com"), ""),
        (secret("https://dtr.metlife.com/v2/", "other"), ""),
        (secret("*.metlife.com"), ""),
        (
            secret("dtr.metlife.com/other"),
            "shop/jfrogauth has no user name and password for dtr.metlife.com/istio "
            "(its entries: dtr.metlife.com/other)",
        ),
        (None, "shop has no Secret jfrogauth"),
        (
            secret("dtr.metlife.com", kind="Opaque"),
            "shop/jfrogauth is of type Opaque, not kubernetes.io/dockerconfigjson",
        ),
        (
            secret("ghcr.io"),
            "shop/jfrogauth has no user name and password for dtr.metlife.com/istio (its entries: ghcr.io)",
        ),
        (
            {"type": "kubernetes.io/dockerconfigjson", "data": {".dockerconfigjson": "????"}},
            "shop/jfrogauth has no user name and password for dtr.metlife.com/istio (its entries: none)",
        ),
    ],
)
def test_pull_secrets(found: dict[str, Any] | None, message: str) -> None:
    told = list(pull_secrets("jfrogauth", ["dtr.metlife.com/istio"], ["shop"], {"shop": found} if found else {}))
    assert faults(told) == ([message] if message else [])
    assert "hidden" not in str(told)


def test_docker_hub_goes_by_three_names() -> None:
    assert not faults(pull_secrets("x", ["docker.io/istio"], ["a"], {"a": secret("https://index.docker.io/v1/")}))


def test_pull_secrets_are_needed_where_the_install_labels_and_not_where_a_namespace_ends() -> None:
    namespaces = (
        ObservedNamespace("istio-system", injected=False),
        seen("shop"),
        seen("media", "enabled"),
        seen("late", "enabled", ending=True),
    )
    assert pull_secret_places(state(namespaces=namespaces), ["shop"]) == ["istio-system", "media", "shop"]


def test_which_webhooks_are_istios() -> None:
    def found(app: str, hook: str) -> bool:
        return is_istios({"metadata": {"labels": {"app": app}}, "webhooks": [{"name": hook}]})

    assert found("istiod", "x.example.com")
    assert found("x", "validation.istio.io")
    assert not found("x", "policy.example.com")


@pytest.mark.parametrize(
    ("item", "coming", "severity", "words"),
    [
        pytest.param(webhook(revision="old"), False, None, "", id="alive"),
        pytest.param(webhook(Reach.NO_SERVICE, revision="old"), True, Severity.WARNING, "no pod can be", id="coming"),
        pytest.param(webhook(Reach.NO_SERVICE, revision="old"), False, None, "no pod can be created", id="gone"),
        pytest.param(
            webhook(Reach.NO_SERVICE, revision="old", fails=False),
            False,
            None,
            "pods get no sidecar",
            id="gone-ignored",
        ),
        pytest.param(webhook(Reach.NO_POD, revision="old"), False, Severity.WARNING, "has no ready pod", id="no-pod"),
        pytest.param(webhook(Reach.NO_POD, revision="old", fails=False), False, None, "", id="no-pod-ignored"),
        pytest.param(webhook(Reach.NO_SERVICE), False, Severity.WARNING, "does not exist", id="own"),
        pytest.param(webhook(Reach.NO_POD), False, Severity.WARNING, "no pod can be created", id="own-no-pod"),
        pytest.param(webhook(Reach.NO_SERVICE, parked=True, revision="old"), False, None, "", id="parked"),
    ],
)
def test_stale_webhooks(item: WebhookConfiguration, coming: bool, severity: Severity | None, words: str) -> None:
    verdicts = list(stale([item], {item.hooks[0].service} if coming else set()))
    bad = [verdict for verdict in verdicts if isinstance(verdict, Fault)]
    assert [verdict.severity for verdict in bad] == ([severity] if words else [])
    assert all(words in verdict.message for verdict in bad)
    assert len(verdicts) == 1


def test_budgets_that_overlap() -> None:
    both = [budget("one"), budget("two")]
    web = pod("shop", "web-1", labels={"app": "web"})
    assert faults(overlapping(both, [web])) == ["shop: one and two are over the same pods (web-1, say)"]
    assert faults(overlapping(both, [web, pod("shop", "web-2", labels={"app": "web"})])) == faults(
        overlapping(both, [web])
    ), "told once"
    assert not faults(overlapping([budget("one"), budget("two", app="other")], [web]))
    assert not faults(overlapping(both, [pod("other", "web-1", labels={"app": "web"})]))
    assert not faults(overlapping(both, [pod("shop", "web-1", labels={"app": "web"}, phase="Failed")]))


@pytest.mark.parametrize(("headroom", "blocks"), [(1, False), (0, True), (-1, True)])
def test_budgets_that_block(headroom: int, blocks: bool) -> None:
    message = f"shop/web: minAvailable {3 - headroom} of 3 pods lets none go"
    assert faults(blocking([budget(headroom=headroom)])) == ([message] if blocks else [])


INGRESS = DesiredService(ObjectRef("Service", "istio-system", "istio-ingressgateway"), "LoadBalancer", "10.0.0.1")


def service(namespace: str, name: str, *, has: str = "", asks: str = "", field: str = "") -> dict[str, Any]:
    key = "service.beta.kubernetes.io/azure-load-balancer-ipv4"
    return {
        "metadata": {"namespace": namespace, "name": name, "annotations": {key: asks} if asks else {}},
        "spec": {"type": "LoadBalancer", **({"loadBalancerIP": field} if field else {})},
        "status": {"loadBalancer": {"ingress": [{"ip": has}]} if has else {}},
    }


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (service("istio-system", "istio-ingressgateway", has="10.0.0.1"), ""),
        (service("shop", "web", has="10.0.0.9"), ""),
        (service("shop", "web", has="10.0.0.1"), "shop/web has it"),
        (service("shop", "web", asks="10.0.0.1"), "shop/web asks for it"),
        (service("shop", "web", asks="10.0.0.2,10.0.0.1"), "shop/web asks for it"),
        (service("shop", "web", field="10.0.0.1"), "shop/web asks for it"),
    ],
)
def test_addresses(other: dict[str, Any], words: str) -> None:
    found = list(addresses([INGRESS], [other], [node("a")]))
    assert faults(found) == ([f"10.0.0.1 of istio-ingressgateway is taken: {words}"] if words else [])


def test_the_address_that_serves_now_is_named() -> None:
    """And the one that would come; a Service that the plan deletes gives its own away."""
    now = service("istio-system", "istio-ingressgateway", has="10.0.0.7", asks="10.0.0.7")
    moves = "istio-ingressgateway serves on 10.0.0.7 now; an install moves it to 10.0.0.1"
    assert faults(addresses([INGRESS], [now], [])) == [moves]
    taken = addresses([INGRESS], [now, service("shop", "web", has="10.0.0.1")], [])
    assert faults(taken) == ["10.0.0.1 of istio-ingressgateway is taken: shop/web has it; it serves on 10.0.0.7 now"]
    free = replace(INGRESS, address="")
    assert faults(addresses([free], [now], [])) == [
        "istio-ingressgateway serves on 10.0.0.7 now, which the environment no longer asks for: Azure may change it"
    ]
    given = service("istio-system", "istio-ingressgateway", has="10.0.0.7")
    assert list(addresses([free], [given], [])) == [Good("istio-ingressgateway serves on 10.0.0.7, which Azure chose")]
    edge = replace(INGRESS, ref=ObjectRef("Service", "edge", "istio-ingressgateway"))
    old = service("istio-system", "istio-ingressgateway", has="10.0.0.1", asks="10.0.0.1")
    handed = "Service istio-system/istio-ingressgateway has 10.0.0.1 now; an install hands it over to edge/istio-"
    assert faults(addresses([edge], [old], [], going={INGRESS.ref})) == [f"{handed}ingressgateway"]
    assert "is taken" in faults(addresses([edge], [old], []))[0], "one that stays keeps its address"


def test_an_address_that_a_node_has() -> None:
    mine = DesiredService(INGRESS.ref, "LoadBalancer", "10.0.0.4")
    assert faults(addresses([mine], [], [node("a")])) == ["10.0.0.4 of istio-ingressgateway is taken: node a has it"]


@pytest.mark.parametrize(
    ("images", "hub"),
    [
        ({"istio-proxy": "docker.io/istio/proxyv2:1.31.1"}, ""),
        ({"istio-proxy": "gcr.io/istio-release/proxyv2:1.28.0"}, "gcr.io/istio-release"),
        ({"discovery": "registry.istio.io/release/pilot:1.30.5"}, "registry.istio.io"),
        ({"app": "gcr.io/istio-release/app:1"}, "gcr.io/istio-release"),
        ({"app": "gcr.io/mine/app:1"}, ""),
    ],
)
def test_image_hubs(images: dict[str, str], hub: str) -> None:
    found = hubs(closing_hubs(), [pod("shop", "web", images=images)])
    assert faults(found) == ([f"{hub} closes around December 2026: shop/web"] if hub else [])


@pytest.mark.parametrize(
    ("hub", "values", "keys"),
    [
        ("dtr.example.com/istio", {}, []),
        ("docker.io/istio", {"pilot": {"image": "docker.io/istio/pilot:1"}}, []),
        ("registry.istio.io/release", {}, ["istio.hub"]),
        ("gcr.io/istio-release", {"cni": {"hub": "gcr.io/istio-testing"}}, ["istio.hub", "values.cni.hub"]),
        ("gcr.io/mine", {"pilot": {"env": [{"value": "gcr.io/istio-release/pilot:1"}]}}, ["values.pilot.env[0].value"]),
        ("gcr.io/istio-release-of-ours", {}, []),
    ],
)
def test_hubs_that_an_environments_files_name(hub: str, values: dict[str, Any], keys: list[str]) -> None:
    operator = {"spec": {"hub": hub, "values": values}}
    found = faults(
        hubs_of_files(closing_hubs(), "qa", {"istio.hub": hub, "images.source": "docker.io/istio"}, operator)
    )
    assert [message.partition(" of qa is ")[0] for message in found] == keys
    assert all(message.endswith("closes around December 2026") for message in found)


def test_findings() -> None:
    error = Finding("IST0101", "Error", "VirtualService shop/web", "Referenced gateway not found")
    info = Finding("IST0102", "Info", "Namespace default", "not labelled")
    told = [verdict for verdict in judged([error, info], Severity.WARNING) if isinstance(verdict, Fault)]
    assert [(verdict.severity, verdict.message) for verdict in told] == [(Severity.WARNING, error.line)]
    assert goods(judged([info], Severity.ERROR)) == ["errors: none, warnings: none, infos: 1"]


def test_a_far_api_server() -> None:
    near, far = distance("https://x", 0.02, "1.35.4"), distance("https://x", 0.45, "1.35.4")
    assert goods([near]) == ["https://x (Kubernetes 1.35.4) answers in 20 ms"]
    assert isinstance(far, Fault)
    assert far.severity is Severity.WARNING
