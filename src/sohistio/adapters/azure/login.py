"""Which login to Azure is used: pure, from the flag `--auth` and the environment variables.

The order: the service connection of Azure Pipelines first (its tokens can be had anew all through a long job), then
what the process was explicitly given, then the person's `az login`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sohistio.errors import RefusedError
from sohistio.model.auth import Auth
from sohistio.model.managed_cluster import AksPlace, AzureCloud
from sohistio.system.pipeline import on_an_agent

CONNECTION = ("AZURESUBSCRIPTION_CLIENT_ID", "AZURESUBSCRIPTION_TENANT_ID", "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID")
_PIPELINES = ("SYSTEM_OIDCREQUESTURI", "SYSTEM_ACCESSTOKEN", *CONNECTION)
_PRINCIPAL = ("AZURE_CLIENT_ID", "AZURE_TENANT_ID")
_SECRET, _CERTIFICATE = "AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH"
_WORKLOAD = (*_PRINCIPAL, "AZURE_FEDERATED_TOKEN_FILE")

# Their values must never be in a message, whoever wrote it.
SECRET_VARIABLES = ("SYSTEM_ACCESSTOKEN", _SECRET, "AZURE_CLIENT_CERTIFICATE_PASSWORD", "AZURE_PASSWORD")

WORDS = {
    Auth.PIPELINES: "the service connection of Azure Pipelines",
    Auth.ENVIRONMENT: "the service principal of AZURE_CLIENT_ID",
    Auth.WORKLOAD_IDENTITY: "the workload identity of AZURE_CLIENT_ID",
    Auth.AZURE_CLI: "the login of the Azure CLI",
}


@dataclass(frozen=True, slots=True)
class Login:
    """A login as it was asked for; `arguments` says the same to `sohistio aks-token`. It holds no secret."""

    auth: Auth = Auth.AUTO
    tenant: str | None = None
    subscription: str | None = None
    cloud: AzureCloud | None = None

    @classmethod
    def to(cls, place: AksPlace, auth: Auth) -> Login:
        """The login that a cluster wants."""
        return cls(auth, place.tenant, place.subscription, place.cloud)

    def arguments(self) -> list[str]:
        """The flags of `sohistio aks-token` for this login."""
        flags = [] if self.auth is Auth.AUTO else [f"--auth={self.auth}"]
        if self.tenant:
            flags.append(f"--tenant={self.tenant}")
        if self.subscription:
            flags.append(f"--subscription={self.subscription}")
        if self.cloud:
            flags += [f"--authority={self.cloud.authority}", f"--resource-manager={self.cloud.resource_manager}"]
            flags += [] if self.cloud.instance_discovery else ["--no-instance-discovery"]
        return flags


@dataclass(frozen=True, slots=True)
class Choice:
    """The kind of login, never `auto`; `notice` tells why a better one could not be taken."""

    auth: Auth
    notice: str = ""


def choose(asked: Auth, variables: Mapping[str, str]) -> Choice:
    """The login to use. Raises RefusedError where the one asked for lacks variables."""
    if asked is not Auth.AUTO:
        if missing := _missing(asked, variables):
            raise RefusedError(
                f"--auth {asked} cannot be used: {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set",
                todo=_HINTS[asked],
            )
        return Choice(asked)
    if not _missing(Auth.PIPELINES, variables) and on_an_agent(variables):
        return Choice(Auth.PIPELINES)
    notice = ""
    if on_an_agent(variables) and all(variables.get(name) for name in CONNECTION):
        lacking = ", ".join(_missing(Auth.PIPELINES, variables))
        notice = f"the service connection is there, but cannot be used: {lacking} not set (docs/aks.md)"
    for auth in (Auth.ENVIRONMENT, Auth.WORKLOAD_IDENTITY):
        if not _missing(auth, variables):
            return Choice(auth, notice)
    return Choice(Auth.AZURE_CLI, notice)


def _missing(auth: Auth, variables: Mapping[str, str]) -> tuple[str, ...]:
    names: tuple[str, ...]
    if auth is Auth.ENVIRONMENT:
        names = _PRINCIPAL if variables.get(_CERTIFICATE) else (*_PRINCIPAL, _SECRET)
    else:
        names = {Auth.PIPELINES: _PIPELINES, Auth.WORKLOAD_IDENTITY: _WORKLOAD}.get(auth, ())
    return tuple(name for name in names if not variables.get(name))


_HINTS = {
    Auth.PIPELINES: "Run it in a task AzureCLI@2 with the service connection, and give the task "
    "`env: {SYSTEM_ACCESSTOKEN: $(System.AccessToken)}`.",
    Auth.ENVIRONMENT: "Set AZURE_TENANT_ID, AZURE_CLIENT_ID, and AZURE_CLIENT_SECRET or AZURE_CLIENT_CERTIFICATE_PATH.",
    Auth.WORKLOAD_IDENTITY: "Set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_FEDERATED_TOKEN_FILE.",
}
