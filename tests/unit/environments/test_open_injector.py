"""The IstioOperator that lets pods start while the first istiod comes up."""

from __future__ import annotations

import pytest
import yaml

from sohistio.environments.open_injector import with_open_injector


@pytest.mark.parametrize(("for_all", "hooks"), [(False, 4), (True, 5)])
def test_the_injectors_own_webhooks_ignore_failures(for_all: bool, hooks: int) -> None:
    mine = {"kind": "Deployment", "name": "istiod", "patches": []}
    values = {"sidecarInjectorWebhook": {"enableNamespacesByDefault": for_all}}
    spec = {"values": values, "components": {"pilot": {"k8s": {"overlays": [mine]}}}}
    opened = yaml.safe_load(with_open_injector(yaml.safe_dump({"kind": "IstioOperator", "spec": spec})))
    first, overlay = opened["spec"]["components"]["pilot"]["k8s"]["overlays"]
    assert first == mine
    assert (overlay["kind"], overlay["name"]) == ("MutatingWebhookConfiguration", "istio-sidecar-injector")
    assert len(overlay["patches"]) == hooks
    assert overlay["patches"][0] == {
        "path": r"webhooks.[name:rev\.namespace\.sidecar-injector\.istio\.io].failurePolicy",
        "value": "Ignore",
    }


def test_an_operator_that_says_next_to_nothing() -> None:
    opened = yaml.safe_load(with_open_injector("kind: IstioOperator\n"))
    assert len(opened["spec"]["components"]["pilot"]["k8s"]["overlays"]) == 1
