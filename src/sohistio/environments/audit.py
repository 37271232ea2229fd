"""Keys `audit` and `notify`: what is asked of who changes something, and where changes are reported."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from sohistio.environments.values import Part, Text
from sohistio.environments.variables import is_variable_name


class Audit(Part):
    """What is asked of a run that changes something."""

    reason_required: bool = Field(
        False, description="Whether it needs --reason; only what may end an outage goes on without one"
    )


class Notify(Part):
    """Where each run that changed something is reported, and each refusal. The URL itself is a secret."""

    webhook: Text = Field(description="Name of the variable with the webhook's URL, without ${}")
    format: Literal["teams", "json"] = Field("json", description="A card for Teams, or sohistio's own document")

    @model_validator(mode="after")
    def _name(self) -> Notify:
        # Not said of the key itself: the message would show its value, and somebody may have written the URL there.
        if not is_variable_name(self.webhook):
            raise ValueError("expected webhook to name a variable that holds the URL, such as SOHISTIO_NOTIFY_URL")
        return self
