"""Adapter: one secret of Azure Key Vault."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sohistio.adapters.azure.credential import PATIENCE, patient_retries, quiet
from sohistio.adapters.azure.errors import safe_lines
from sohistio.errors import RefusedError

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

# A 403's inner code where it is the network that is in the way: no role would help.
_NETWORK = ("ForbiddenByFirewall", "ForbiddenByConnection")


def vault_secret(vault: str, name: str, credential: TokenCredential) -> str:
    """The newest value of a secret. Raises RefusedError that says why it cannot be had; never with a value in it."""
    quiet()
    from azure.core.exceptions import AzureError
    from azure.keyvault.secrets import SecretClient

    try:
        with SecretClient(vault, credential, retry_policy=patient_retries()(**PATIENCE), **PATIENCE) as client:
            value = client.get_secret(name).value
    except (AzureError, ValueError, OSError) as error:
        # `from None`: the original's text may have what this one leaves out.
        raise _refusal(error, vault, name) from None
    if not value:
        raise RefusedError(f"the secret {name} of {vault} is empty", todo="Set its value.")
    return value


def _refusal(error: Exception, vault: str, name: str) -> RefusedError:
    from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError, ResourceNotFoundError

    what, details = f"the secret {name} of {vault} cannot be read", safe_lines(str(error) or type(error).__name__)
    match error:
        case ClientAuthenticationError():
            todo = "Log in to Azure."
        case ResourceNotFoundError():
            what, todo = f"{vault} has no secret {name}", "Correct the secret's name in environment.yaml."
        case HttpResponseError(status_code=403) if any(code in str(error) for code in _NETWORK):
            todo = "Its firewall does not let this machine in: allow its address, or run where its private endpoint is."
        case HttpResponseError(status_code=403):
            todo = "Ask for the role `Key Vault Secrets User` on it."
        case HttpResponseError():
            todo = "Try again later."
        case AzureError():
            todo = "Check the vault's name and the network (private endpoint, firewall)."
        case ValueError():  # the client sends its token to no vault that asks for one of another host
            todo = "Correct the vault's URL in environment.yaml."
        case _:
            todo = "See that the file of the login's token or certificate is there (AZURE_FEDERATED_TOKEN_FILE)."
    return RefusedError(what, details=details, todo=todo)
