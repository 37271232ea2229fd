"""The IstioOperator as istioctl is to apply it: pods start while istiod comes up, and none is injected twice."""

from __future__ import annotations

import pytest
import yaml

from sohistio.environments.injector import with_injector


@pytest.mark.parametrize(("for_all", "hooks"), [(False, 4), (True, 5)])
def test_the_injectors_own_webhooks_ignore_failures(for_all: bool, hooks: int) -> None:
    mine = {"kind": "Deployment", "name": "istiod", "patches": []}
    values = {"sidecarInjectorWebhook": {"enableNamespacesByDefault": for_all}}
    spec = {"values": values, "components": {"pilot": {"k8s": {"overlays": [mine]}}}}
    opened = yaml.safe_load(
        with_injector(yaml.safe_dump({"kind": "IstioOperator", "spec": spec}), opened=True, parked=False)
    )
    first, overlay = opened["spec"]["components"]["pilot"]["k8s"]["overlays"]
    assert first == mine
    assert (overlay["kind"], overlay["name"]) == ("MutatingWebhookConfiguration", "istio-sidecar-injector")
    assert len(overlay["patches"]) == hooks
    assert overlay["patches"][0] == {
        "path": r"webhooks.[name:rev\.namespace\.sidecar-injector\.istio\.io].failurePolicy",
        "value": "Ignore",
    }


def test_an_operator_that_says_next_to_nothing() -> None:
    opened = yaml.safe_load(with_injector("kind: IstioOperator\n", opened=True, parked=False))
    assert len(opened["spec"]["components"]["pilot"]["k8s"]["overlays"]) == 1


def test_where_the_default_tag_serves_the_injectors_own_match_nothing() -> None:
    applied = yaml.safe_load(with_injector("kind: IstioOperator\n", opened=False, parked=True))
    (overlay,) = applied["spec"]["components"]["pilot"]["k8s"]["overlays"]
    assert len(overlay["patches"]) == 8
    assert [patch["path"].rpartition(".")[2] for patch in overlay["patches"][:2]] == [
        "namespaceSelector",
        "objectSelector",
    ]
    assert all(
        patch["value"] == {"matchLabels": {"istio.io/deactivated": "never-match"}} for patch in overlay["patches"]
    )


def test_an_operator_that_needs_neither_stays_as_it_is() -> None:
    assert with_injector("kind: IstioOperator # mine\n", opened=False, parked=False) == "kind: IstioOperator # mine\n"
