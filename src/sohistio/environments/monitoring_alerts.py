"""Keys of `monitoring.alerts`: whom Alertmanager sends alerts to."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from sohistio.environments.policy_access import at_least_one
from sohistio.environments.values import Name, Part, Text, matching, once
from sohistio.model import monitoring as plain
from sohistio.model.authority import PLUGGED_IN, SELF_SIGNED

# Keys of the mesh and of monitoring itself.
_NEVER_MOUNTED = {PLUGGED_IN, SELF_SIGNED, *(ref.name for ref in plain.RANDOM_SECRETS)}
_mail = matching(r"[^@\s,;<>\"]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*", "an e-mail address such as on-call@example.com")
_PORT = r"([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
_smarthost = matching(rf"[A-Za-z0-9.-]+:{_PORT}", "the mail server as host:port, such as smtp.example.com:587")
_data_key = matching(r"(?!\.\.|\.$)[A-Za-z0-9._-]{1,253}", "a key of a Secret")


def _for_receivers(value: str) -> str:
    if value in _NEVER_MOUNTED:
        raise ValueError("is no Secret for receivers of alerts: expected one of your own")
    return value


class SecretKeyKeys(Part):
    """A key of a Secret in istio-system. Somebody else puts it there: no secret is in this file."""

    secret: Annotated[Name, AfterValidator(_for_receivers)]
    key: Annotated[str, AfterValidator(_data_key)] = "url"

    def data(self) -> plain.SecretKey:
        """The same as plain data."""
        return plain.SecretKey(self.secret, self.key)


class PasswordKeys(SecretKeyKeys):
    """The same of a password."""

    key: Annotated[str, AfterValidator(_data_key)] = "password"


class MailKeys(Part):
    """Alerts by e-mail; TLS is required."""

    to: Annotated[
        tuple[Annotated[str, AfterValidator(_mail)], ...],
        Field(strict=False),
        AfterValidator(at_least_one),
        AfterValidator(once),
    ]
    sender: Annotated[str, AfterValidator(_mail)] = Field(alias="from")
    smarthost: Annotated[str, AfterValidator(_smarthost)] = Field(description="The mail server, host:port")
    username: Text | None = None
    password: PasswordKeys | None = None

    @model_validator(mode="after")
    def _login(self) -> MailKeys:
        if (self.username is None) != (self.password is None):
            raise ValueError("expected username and password, or neither")
        return self

    def data(self) -> plain.Mail:
        """The same as plain data."""
        password = self.password.data() if self.password else None
        return plain.Mail(self.to, self.sender, self.smarthost, self.username or "", password)


class AlertsKeys(Part):
    """Where Prometheus' alerts go, through an Alertmanager; each that is given gets them."""

    webhook: SecretKeyKeys | None = Field(None, description="A Secret with the URL that gets alerts as JSON")
    teams: SecretKeyKeys | None = Field(None, description="A Secret with the URL of a Teams workflow")
    email: MailKeys | None = None

    @model_validator(mode="after")
    def _somebody(self) -> AlertsKeys:
        if self.webhook is None and self.teams is None and self.email is None:
            raise ValueError("expected one of webhook, teams and email")
        return self

    def data(self) -> plain.Alerts:
        """The same as plain data."""
        return plain.Alerts(
            self.webhook.data() if self.webhook else None,
            self.teams.data() if self.teams else None,
            self.email.data() if self.email else None,
        )
