"""Which of Istio's webhooks are dead, which are the mesh's own, and what puts each right."""

from __future__ import annotations

import pytest

from observed import mesh, state, webhook
from sohistio.model.webhooks import VALIDATING, Reach, WebhookConfiguration, Webhooks
from sohistio.modes.webhooks import repair_phase, repairs_of
from sohistio.plan.webhook_steps import Cure, RepairWebhooks

LIVE = "istiod"
FOREIGN = ("aks-istio-system", "istiod-asm-1-27")


@pytest.mark.parametrize(
    ("item", "live", "cure"),
    [
        pytest.param(webhook(), LIVE, None, id="alive"),
        pytest.param(webhook(Reach.NO_POD), "", Cure.IGNORE_FAILURES, id="no-istiod"),
        pytest.param(webhook(Reach.NO_SERVICE), "", Cure.IGNORE_FAILURES, id="no-service"),
        pytest.param(webhook(Reach.NO_POD, kind=VALIDATING), "", Cure.IGNORE_FAILURES, id="validator"),
        pytest.param(webhook(Reach.NO_SERVICE), LIVE, Cure.POINT_TO_ISTIOD, id="another-service"),
        pytest.param(webhook(Reach.NO_POD, fails=False), "", None, id="ignored-already"),
        pytest.param(webhook(Reach.NO_POD, fails=False, opened=True), "", None, id="opened-and-still-none"),
        pytest.param(webhook(fails=False, opened=True), LIVE, Cure.FAIL_AGAIN, id="opened-and-back"),
        pytest.param(webhook(fails=False), LIVE, None, id="ignored-by-somebody-else"),
        pytest.param(webhook(Reach.NO_POD, parked=True), "", None, id="parked"),
        pytest.param(webhook(root=""), LIVE, Cure.TRUST_ISTIOD, id="no-certificate"),
        pytest.param(webhook(root="", parked=True), LIVE, None, id="parked-without-certificate"),
        pytest.param(webhook(Reach.OUTSIDE), "", None, id="outside-of-the-cluster"),
        pytest.param(webhook(Reach.NO_SERVICE, revision="1-20"), "", None, id="another-revision"),
        pytest.param(webhook(Reach.NO_SERVICE, service=FOREIGN), "", None, id="of-aks"),
        pytest.param(
            webhook(Reach.NO_SERVICE, name="istio-revision-tag-default", revision="1-20"),
            LIVE,
            Cure.POINT_TO_ISTIOD,
            id="the-default-tag-of-a-revision-that-is-gone",
        ),
        pytest.param(
            webhook(name="istio-revision-tag-default", revision="1-20"), LIVE, None, id="the-default-tag-of-another"
        ),
    ],
)
def test_what_puts_it_right(item: WebhookConfiguration, live: str, cure: Cure | None) -> None:
    repairs = repairs_of(Webhooks((item,), live))
    assert [repair.cure for repair in repairs] == ([cure] if cure else [])
    assert all(repair.ref.name == item.name and item.name in repair.words for repair in repairs)


def test_the_step_says_what_is_wrong_and_what_is_done() -> None:
    dead = Webhooks((webhook(Reach.NO_POD, name="tag"), webhook(Reach.NO_POD, kind=VALIDATING, name="validator")))
    (phase,) = repair_phase(state(webhooks=dead, mesh_deployments=(mesh("istiod", ready=0),)))
    (step,) = phase.steps
    assert isinstance(step, RepairWebhooks)
    assert (phase.name, step.id) == ("webhooks", "webhooks/repair")
    assert step.summary == (
        "no istiod answers: ignore failures of tag, validator until one is ready (pods start, without a sidecar)"
    )
    assert step.repairs[1].words == (
        "validator calls istio-system/istiod, which has no ready pod: ignore its failures until one is ready "
        "(nothing is validated)"
    )
    assert repair_phase(state()) == ()
