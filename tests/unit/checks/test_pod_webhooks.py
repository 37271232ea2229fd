"""Other people's webhooks: which of them refuse which namespaces' new pods."""

from __future__ import annotations

from typing import Any

import pytest

from sohistio.checks.preflight.check import Good, NotAsked
from sohistio.checks.preflight.pod_webhooks import Places, refusing
from sohistio.model.fault import Fault, Severity
from sohistio.model.webhooks import VALIDATING

LABELS = {name: {"kubernetes.io/metadata.name": name} for name in ("istio-system", "shop")}
RULE = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
SERVICE = {"metadata": {"namespace": "policy", "name": "engine"}, "spec": {"selector": {"app": "engine"}}}


def pod(place: str, app: str, *, ready: bool = True) -> dict[str, Any]:
    status = {"conditions": [{"type": "Ready", "status": str(ready)}]}
    return {"metadata": {"namespace": place, "name": app, "labels": {"app": app}}, "status": status}


def hook(**changes: Any) -> dict[str, Any]:
    service = {"namespace": "policy", "name": "engine"}
    return {"name": "policy.example.com", "rules": [RULE], "clientConfig": {"service": service}} | changes


def verdicts(*hooks: dict[str, Any], ready: bool = False, services: tuple[Any, ...] = (SERVICE,)) -> list[Any]:
    pods = [pod("policy", "engine", ready=ready), pod("shop", "web")]
    found = {VALIDATING: [{"metadata": {"name": "policy"}, "webhooks": list(hooks)}]}
    return list(refusing(found, services, Places(LABELS, frozenset({"istio-system"}), pods)))


def test_one_that_answers_is_good() -> None:
    assert verdicts(hook(), ready=True) == [Good("none refuses pods of the mesh or of injected namespaces: policy")]


@pytest.mark.parametrize("services", [pytest.param((SERVICE,), id="no-pod"), pytest.param((), id="no-service")])
def test_one_that_is_dead_is_an_error_where_it_refuses_the_meshs_own_pods(services: tuple[Any, ...]) -> None:
    (fault,) = verdicts(hook(), services=services)
    assert isinstance(fault, Fault)
    assert fault.severity is Severity.ERROR
    assert fault.message.startswith("ValidatingWebhookConfiguration policy calls Service policy/engine, which ")
    assert fault.message.endswith(": no pod can be created in Namespace istio-system, Namespace shop")
    assert fault.hint.endswith("kubectl delete validatingwebhookconfiguration policy")


SHOP = {"matchLabels": {"kubernetes.io/metadata.name": "shop"}}


def test_one_of_injected_namespaces_is_a_warning() -> None:
    (fault,) = verdicts(hook(namespaceSelector=SHOP, objectSelector={"matchLabels": {"app": "web"}}))
    assert (fault.severity, fault.message.rpartition(": ")[2]) == (
        Severity.WARNING,
        "no pod can be created in Namespace shop",
    )


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"failurePolicy": "Ignore"}, id="ignores-failures"),
        pytest.param({"rules": [RULE | {"operations": ["DELETE"]}]}, id="other-operations"),
        pytest.param({"rules": [RULE | {"resources": ["secrets"]}]}, id="other-kinds"),
        pytest.param({"matchConditions": [{"name": "some", "expression": "false"}]}, id="conditions"),
    ],
)
def test_what_is_not_asked_about_every_new_pod_is_no_matter(changes: dict[str, Any]) -> None:
    assert verdicts(hook(**changes)) == [NotAsked("there is none")]


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"clientConfig": {"url": "https://policy.example.com/"}}, id="a-url"),
        pytest.param({"namespaceSelector": {"matchLabels": {"a": "b"}}}, id="other-namespaces"),
        pytest.param({"objectSelector": {"matchLabels": {"a": "b"}}}, id="other-pods"),
    ],
)
def test_what_refuses_nothing_that_counts_is_good(changes: dict[str, Any]) -> None:
    assert [type(verdict) for verdict in verdicts(hook(**changes))] == [Good]
