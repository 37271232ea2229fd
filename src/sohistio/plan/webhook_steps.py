"""The step on Istio's webhooks that nobody answers. Frozen data, as all steps."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from sohistio.model.state import ObjectRef
from sohistio.plan.risk import Risk


class Cure(StrEnum):
    """What is done to a webhook configuration."""

    IGNORE_FAILURES = "ignoreFailures"
    FAIL_AGAIN = "failAgain"
    POINT_TO_ISTIOD = "pointToIstiod"
    CALL_ISTIOD = "callIstiod"
    LABEL = "label"
    TRUST_ISTIOD = "trustIstiod"


@dataclass(frozen=True, slots=True)
class WebhookRepair:
    """One configuration and what it takes; `service` is the istiod's that it is to call, where that changes. `words`
    say what is wrong and what is done."""

    ref: ObjectRef
    cure: Cure
    words: str
    service: str = ""


@dataclass(frozen=True, slots=True)
class RepairWebhooks:
    """Put webhooks right that refuse everything because no istiod answers, and those back whose istiod is back.

    Each is looked at again first: one that is right by then is left alone.
    """

    risk: ClassVar[Risk] = Risk.CHANGE
    id: str
    summary: str
    repairs: tuple[WebhookRepair, ...]
