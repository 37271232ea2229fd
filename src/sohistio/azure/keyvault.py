"""Adapter: one secret of Azure Key Vault."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sohistio.errors import RefusedError

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

# Of each try; azure-core tries a few times, waiting in between.
_SECONDS = 10
_TRIES_MORE = 3


def vault_secret(vault: str, name: str, credential: TokenCredential) -> str:
    """The newest value of a secret. Raises RefusedError that says why it cannot be had; never with a value in it."""
    from azure.core.exceptions import (
        ClientAuthenticationError,
        HttpResponseError,
        ResourceNotFoundError,
        ServiceRequestError,
        ServiceResponseError,
    )
    from azure.keyvault.secrets import SecretClient

    timeouts = {"connection_timeout": _SECONDS, "read_timeout": _SECONDS, "retry_total": _TRIES_MORE}
    what = f"the secret {name} of {vault} cannot be read"
    try:
        with SecretClient(vault, credential, **timeouts) as client:
            value = client.get_secret(name).value
    except ClientAuthenticationError as error:
        raise RefusedError(what, details=(_first_line(error),), todo="Log in to Azure.") from error
    except ResourceNotFoundError as error:
        raise RefusedError(
            f"{vault} has no secret {name}", details=(_first_line(error),), todo="Correct istio.pullSecretSource."
        ) from error
    except HttpResponseError as error:
        todo = "Ask for the role `Key Vault Secrets User` on it." if error.status_code == 403 else "Try again later."
        raise RefusedError(what, details=(_first_line(error),), todo=todo) from error
    except (ServiceRequestError, ServiceResponseError) as error:
        todo = "Check the vault's name and the network (private endpoint, firewall)."
        raise RefusedError(what, details=(_first_line(error),), todo=todo) from error
    if not value:
        raise RefusedError(f"the secret {name} of {vault} is empty", todo="Set its value.")
    return value


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
