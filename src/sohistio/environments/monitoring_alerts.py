"""Keys of `monitoring.alerts`: whom Alertmanager sends alerts to."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from sohistio.environments.policy_access import at_least_one
from sohistio.environments.values import Name, Part, Text, matching, once
from sohistio.model import monitoring as plain

_mail = matching(r"[^@\s,;<>\"]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*", "an e-mail address such as on-call@example.com")
_smarthost = matching(r"[A-Za-z0-9.-]+:[1-9][0-9]{0,4}", "the mail server as host:port, such as smtp.example.com:587")
_data_key = matching(r"[A-Za-z0-9._-]{1,253}", "a key of a Secret")


class SecretKeyKeys(Part):
    """A key of a Secret in istio-system. Somebody else puts it there: no secret is in this file."""

    secret: Name
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
