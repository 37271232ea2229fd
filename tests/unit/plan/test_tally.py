"""What a plan comes to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from plans import FRESH, INGRESS, UPGRADE, V29
from sohistio.model.state import ObjectRef
from sohistio.plan.changes import FieldChange
from sohistio.plan.gateway_change import OLD_ADDRESS, GatewayChange
from sohistio.plan.gateway_steps import HandOverAddress
from sohistio.plan.plan import Phase, Plan
from sohistio.plan.steps import RemoveObjects, UninstallIstio
from sohistio.plan.tally import Tally, tally_of

SERVICE = ObjectRef("Service", "istio-system", "istio-ingressgateway")
OTHER = ObjectRef("Service", "istio-system", "istio-egressgateway")
UNINSTALL = Phase("old-control-plane", (UninstallIstio("old-control-plane/uninstall", "uninstall 1.29.8", V29),))
REMOVE = Phase("obsolete", (RemoveObjects("obsolete/remove", "remove", (SERVICE, OTHER, INGRESS)),))
HAND_OVER = Phase("address", (HandOverAddress("address/hand-over", "hand over", "10.0.0.1", SERVICE, OTHER),))
MOVED = GatewayChange(SERVICE, "moves", (FieldChange(OLD_ADDRESS, "10.0.0.1", "10.0.0.2"),))
EXPOSED = GatewayChange(SERVICE, "exposes", (FieldChange("spec.type", "ClusterIP", "LoadBalancer"),))


def plus(plan: Plan, *phases: Phase) -> Plan:
    return replace(plan, phases=(*phases, *plan.phases))


@pytest.mark.parametrize(
    ("plan", "tally"),
    [
        pytest.param(FRESH, Tally(14, 0, 0, 0), id="install"),
        pytest.param(UPGRADE, Tally(2, 0, 2, 0), id="upgrade"),
        pytest.param(plus(UPGRADE, UNINSTALL), Tally(2, 1, 2, 0), id="replaced"),
        pytest.param(plus(UPGRADE, HAND_OVER), Tally(2, 0, 2, 1), id="handed-over"),
        pytest.param(replace(plus(UPGRADE, REMOVE), addressed=(SERVICE,)), Tally(2, 0, 2, 1), id="given-back"),
        pytest.param(replace(UPGRADE, gateway_changes=(MOVED, EXPOSED)), Tally(2, 0, 2, 1), id="moved"),
    ],
)
def test_figures(plan: Plan, tally: Tally) -> None:
    assert tally_of(plan) == tally


@pytest.mark.parametrize(
    ("tally", "words"),
    [
        (Tally(5, 0, 4, 0), "5 changed, 0 replaced, 4 restarts, 0 addresses touched"),
        (Tally(0, 1, 1, 1), "0 changed, 1 replaced, 1 restart, 1 address touched"),
    ],
)
def test_words(tally: Tally, words: str) -> None:
    assert tally.words() == words
