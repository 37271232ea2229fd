"""Adapter: azure-identity. A kind of login → a credential of it, with bounded waits."""

from __future__ import annotations

import logging
import os
from typing import Any

from sohistio.adapters.azure.cloud import Endpoints
from sohistio.adapters.azure.login import Login
from sohistio.model.auth import Auth

# az takes seconds to start, more on a busy agent; azure-identity would give it 10.
_CLI_SECONDS = 60
# For each request: an endpoint that is away is reported after at most a minute.
PATIENCE: dict[str, Any] = {
    "connection_timeout": 10,
    "read_timeout": 20,
    "retry_total": 3,
    "retry_connect": 2,
    "retry_read": 2,
    "retry_backoff_factor": 0.5,
}


def make_credential(login: Login, auth: Auth, where: Endpoints) -> Any:
    """A credential; `auth` is the kind chosen. No request is made yet. Raises azure-identity's ValueError."""
    quiet()
    from azure import identity

    if auth is Auth.AZURE_CLI:
        tenant = login.tenant or ""
        # Without a tenant, az takes that of the subscription: its default one may be another.
        subscription = None if tenant else login.subscription
        return identity.AzureCliCredential(tenant_id=tenant, subscription=subscription, process_timeout=_CLI_SECONDS)
    options = PATIENCE | {
        "authority": where.authority,
        "disable_instance_discovery": not where.instance_discovery,
        "retry_policy_class": patient_retries(),
    }
    if auth is Auth.PIPELINES:
        return identity.AzurePipelinesCredential(
            tenant_id=os.environ["AZURESUBSCRIPTION_TENANT_ID"],
            client_id=os.environ["AZURESUBSCRIPTION_CLIENT_ID"],
            service_connection_id=os.environ["AZURESUBSCRIPTION_SERVICE_CONNECTION_ID"],
            system_access_token=os.environ["SYSTEM_ACCESSTOKEN"],
            **options,
        )
    if auth is Auth.WORKLOAD_IDENTITY:
        return identity.WorkloadIdentityCredential(**options)
    return identity.EnvironmentCredential(**options)


def patient_retries() -> type[Any]:
    """azure-core's retries, which would sleep for as long as a server says: an hour, if it says so."""
    from azure.core.pipeline.policies import RetryPolicy

    class Retries(RetryPolicy):  # type: ignore[type-arg]
        def get_retry_after(self, response: Any) -> float | None:
            asked = super().get_retry_after(response)
            return min(float(asked), _LONGEST_PAUSE) if asked else asked

    return Retries


_LONGEST_PAUSE = 20.0


def quiet() -> None:
    """Azure's libraries log each failure that they raise as well; reported once is enough."""
    for name in ("azure", "msal"):
        logger = logging.getLogger(name)
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())
