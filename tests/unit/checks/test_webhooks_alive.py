"""What the verification says of each of Istio's webhooks."""

from __future__ import annotations

import pytest

from observed import state, webhook
from sohistio.checks.result import Result
from sohistio.checks.webhooks_alive import webhooks_alive
from sohistio.model.fault import Severity
from sohistio.model.injecting_hook import UNVALIDATED
from sohistio.model.webhooks import VALIDATING, Reach, WebhookConfiguration, Webhooks


@pytest.mark.parametrize(
    ("item", "severity", "words"),
    [
        pytest.param(webhook(Reach.NO_POD), Severity.ERROR, "which has no ready pod: no pod can be created", id="dead"),
        pytest.param(
            webhook(Reach.NO_SERVICE, kind=VALIDATING),
            Severity.ERROR,
            "istio-system/istiod, which does not exist: nobody can change Istio's configuration",
            id="dead-validator",
        ),
        pytest.param(
            webhook(Reach.NO_SERVICE, revision="1-20"), Severity.WARNING, "no pod can be created", id="another-revision"
        ),
        pytest.param(webhook(Reach.NO_PATH), Severity.ERROR, "at a path or port where istiod does not", id="no-path"),
        pytest.param(webhook(root=""), Severity.ERROR, "no certificate to know istiod by", id="no-certificate"),
        pytest.param(webhook(root="b"), Severity.WARNING, "trusts another root certificate", id="another-root"),
        pytest.param(
            webhook(Reach.STRANGE, service=("", ""), url="https://evil.example/x", fails=False),
            Severity.ERROR,
            "calls https://evil.example/x, which Istio did not write: new pods are sent there",
            id="url",
        ),
        pytest.param(
            webhook(service=("evil", "istiod")), Severity.ERROR, "calls Service evil/istiod, which is not", id="another"
        ),
        pytest.param(
            webhook(Reach.OUTSIDE, service=("istio-system", "evil")), Severity.ERROR, "system/evil, which is", id="out"
        ),
        pytest.param(
            webhook(misses=("a.istio.io has rules that leave out new pods",)),
            Severity.ERROR,
            "istio-revision-tag-default: a.istio.io has rules that leave out new pods",
            id="picks-nothing",
        ),
        pytest.param(
            webhook(opened=True, fails=False), Severity.ERROR, "pods may start without a sidecar", id="opened"
        ),
    ],
)
def test_what_is_wrong(item: WebhookConfiguration, severity: Severity, words: str) -> None:
    (result,) = webhooks_alive(state(webhooks=Webhooks((item,), "istiod"), ca_root="r"))
    assert (result.name, result.severity, result.result) == ("webhooks-alive", severity, Result.FAILED)
    assert words in result.message
    assert result.hint


def test_labels_that_are_lost_are_named() -> None:
    lost = Webhooks((webhook(),), "istiod", (("Service", "istio-system", "istiod-revision-tag-default"),))
    found = list(webhooks_alive(state(webhooks=lost, ca_root="r")))
    assert [item.result for item in found] == [Result.FAILED, Result.PASSED]
    assert "istiod-revision-tag-default has lost labels" in found[0].message


def test_conditions_on_a_validator_are_told_with_how_to_take_them_away() -> None:
    item = webhook(kind=VALIDATING, misses=(f"a.istio.io {UNVALIDATED}",))
    (result,) = webhooks_alive(state(webhooks=Webhooks((item,), "istiod"), ca_root="r"))
    assert result.result is Result.FAILED
    assert "kubectl edit validatingwebhookconfiguration istio-validator-default-istio-system" in result.hint


def test_a_validator_that_is_gone_is_named() -> None:
    found = list(webhooks_alive(state(webhooks=Webhooks((webhook(),), "istiod", (), "istiod-default-validator"))))
    assert [item.result for item in found] == [Result.FAILED, Result.PASSED]
    assert "there is no istiod-default-validator" in found[0].message


INJECTOR, TAG = "istio-sidecar-injector", "istio-revision-tag-default"


@pytest.mark.parametrize(
    ("items", "words"),
    [
        pytest.param((webhook(name=INJECTOR, parked=True),), "nothing injects: ", id="no-tag"),
        pytest.param((webhook(name=INJECTOR), webhook(name=TAG)), "both inject: ", id="twice"),
        pytest.param((webhook(name=INJECTOR, parked=True), webhook(name=TAG)), "", id="as-istioctl-leaves-it"),
        pytest.param((webhook(name=INJECTOR),), "", id="without-a-tag"),
        pytest.param(
            (webhook(name=INJECTOR, parked=True), webhook(name=TAG, revision="1-20")), "", id="another-serves"
        ),
        pytest.param((webhook(name=INJECTOR), webhook(name=TAG, revision="1-20")), "", id="each-its-own"),
        pytest.param((), "", id="none"),
    ],
)
def test_somebody_injects_and_only_one(items: tuple[WebhookConfiguration, ...], words: str) -> None:
    found = [item for item in webhooks_alive(state(webhooks=Webhooks(items, "istiod"))) if "inject" in item.message]
    said = [item.message for item in found if item.result is Result.FAILED]
    assert [words in message for message in said] == ([True] if words else [])


def test_the_alive_are_named_and_the_parked_are_nothing() -> None:
    found = Webhooks(
        (
            webhook(name="istio-revision-tag-default"),
            webhook(Reach.NO_POD, name="istio-sidecar-injector", parked=True, root="b"),
        ),
        "istiod",
    )
    (result,) = webhooks_alive(state(webhooks=found, ca_root="r"))
    assert (result.result, result.message) == (Result.PASSED, "each reaches a ready istiod: istio-revision-tag-default")
    assert list(webhooks_alive(state())) == []
