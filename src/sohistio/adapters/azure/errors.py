"""What Azure's libraries raise, in our words: all of it comes before anything is touched (exit 3)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from sohistio.adapters.azure.cloud import Endpoints
from sohistio.adapters.azure.login import SECRET_VARIABLES, WORDS
from sohistio.errors import RefusedError
from sohistio.model.auth import Auth
from sohistio.system.pipeline import on_an_agent

ROLE = "Azure Kubernetes Service Cluster User Role"
_LINES, _LENGTH = 6, 400
_TOKEN = re.compile(r"ey[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
_WHO = re.compile(r"with object id '([^']+)'")
_SCOPE = re.compile(r"over scope '([^']+)'")
_TODO_LOGIN = {
    Auth.PIPELINES: "See the variables of the task AzureCLI@2 in docs/aks.md.",
    Auth.ENVIRONMENT: "Set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET.",
    Auth.WORKLOAD_IDENTITY: "See that the file of AZURE_FEDERATED_TOKEN_FILE is there.",
    Auth.AZURE_CLI: "Run `az login`, or give another login: --auth, and docs/aks.md has them all.",
}
_TODO_REJECTED = {
    Auth.PIPELINES: "Compare the service connection's federated credential (issuer, subject) in Entra ID: docs/aks.md.",
    Auth.ENVIRONMENT: "The secret may have expired or be another application's: see AZURE_CLIENT_ID and its secrets.",
    Auth.WORKLOAD_IDENTITY: "Compare the identity's federated credential (issuer, subject) in Entra ID.",
    Auth.AZURE_CLI: "Log in again: `az login`.",
}
_TODO_TENANT = (
    "The login is one of another tenant than the subscription's: set tenant below cluster.aks, or log in there."
)
_SET_IT = "Give the task `env: {SYSTEM_ACCESSTOKEN: $(System.AccessToken)}` (docs/aks.md)"
_TODO_ID_TOKEN = f"{_SET_IT}, and see whether this pipeline may use the service connection (its pipeline permissions)."
# The id token of a job of Azure Pipelines lives 10 minutes, and the login of the task's `az` no longer than that.
_OUTLIVED = "AADSTS700024"
_TODO_OUTLIVED = f"The job's id token has ended after 10 minutes. {_SET_IT}: with it a new one can be had."


@contextmanager
def in_our_words(subject: str, auth: Auth, where: Endpoints) -> Iterator[None]:
    """Makes a RefusedError of what Azure's libraries raise in the block; `subject` is what was to be had."""
    from azure.core.exceptions import AzureError

    try:
        yield
    except AzureError as error:
        # `from None`: the original's text may have what this one leaves out.
        raise refusal_of(error, subject, auth, where) from None
    except (ValueError, OSError) as error:  # ids that are none, files of tokens or certificates that are not there
        raise RefusedError(
            f"{WORDS[auth]} cannot be used", details=safe_lines(str(error)), todo=_TODO_LOGIN[auth]
        ) from None


def refusal_of(error: Exception, subject: str, auth: Auth, where: Endpoints) -> RefusedError:
    """The error for an AzureError."""
    from azure.core.exceptions import (
        ClientAuthenticationError,
        HttpResponseError,
        ServiceRequestError,
        ServiceResponseError,
    )
    from azure.identity import CredentialUnavailableError

    chain = list(_chain(error))
    if any("CERTIFICATE_VERIFY_FAILED" in str(item) for item in chain):
        return RefusedError(
            "no trusted TLS connection to Azure",
            details=(_host_of(chain, where), *safe_lines(_deepest(chain))),
            todo="Where a proxy has its own certificate authority: REQUESTS_CA_BUNDLE=<file with all of them>.",
        )
    if isinstance(error, CredentialUnavailableError):
        return RefusedError(
            "there is no login to Azure",
            details=(f"tried {WORDS[auth]}", *safe_lines(_text(error))),
            todo=_TODO_OUTLIVED if _is_outlived(error, auth) else _TODO_LOGIN[auth],
        )
    if any(isinstance(item, (ServiceRequestError, ServiceResponseError)) for item in chain):
        return RefusedError(
            f"Azure cannot be reached at {_host_of(chain, where)}",
            details=safe_lines(_deepest(chain)),
            todo="Check the network and the proxy (HTTPS_PROXY, NO_PROXY).",
        )
    status = error.status_code if isinstance(error, HttpResponseError) else None
    if isinstance(error, ClientAuthenticationError):
        return _rejected(error, status, auth)
    return _answered(status or 0, _text(error), subject)


def _rejected(error: Exception, status: int | None, auth: Auth) -> RefusedError:
    text = _text(error)
    if auth is Auth.PIPELINES and _is_of_devops(error):
        what = "Azure DevOps gives no id token for the service connection" + (f" (status {status})" if status else "")
        return RefusedError(what, details=safe_lines(str(error)), todo=_TODO_ID_TOKEN)
    if _is_outlived(error, auth):
        todo = _TODO_OUTLIVED
    else:
        todo = _TODO_TENANT if "InvalidAuthenticationTokenTenant" in text else _TODO_REJECTED[auth]
    return RefusedError(f"Azure rejects {WORDS[auth]}", details=safe_lines(text), todo=todo)


def _is_of_devops(error: Exception) -> bool:
    """Whether Azure DevOps refused the id token, which is asked for first. Its own words may be anything."""
    uri = os.environ.get("SYSTEM_OIDCREQUESTURI")
    asked = getattr(getattr(getattr(error, "response", None), "request", None), "url", None) or ""
    return "oidc token" in str(error).lower() or bool(uri and str(asked).startswith(uri))


def _is_outlived(error: Exception, auth: Auth) -> bool:
    """The service connection itself asks for a new id token each time: there it is something else, such as a clock."""
    return auth is not Auth.PIPELINES and _OUTLIVED in _text(error) and on_an_agent(os.environ)


def _answered(status: int, text: str, subject: str) -> RefusedError:
    details = safe_lines(text)
    if status == 403:
        return RefusedError(
            f"Azure forbids this login to read {subject}", details=details, todo=role_wanted(text, ROLE, "the cluster")
        )
    if status == 404:
        return RefusedError(
            f"Azure does not know {subject}",
            details=details,
            todo="Correct subscription, resourceGroup and name below cluster.aks in environment.yaml.",
        )
    if status == 429:
        return RefusedError(
            f"Azure is throttling: {subject} could not be read", details=details, todo="Try again in some minutes."
        )
    return RefusedError(
        f"{subject} could not be read from Azure" + (f" (status {status})" if status else ""),
        details=details,
        todo="Try again; where it stays, ask those who run Azure for you; nothing was changed.",
    )


def role_wanted(text: str, role: str, place: str) -> str:
    """What to ask for where Azure forbade something with this text: who lacks it and the scope are in it."""
    who, scope = _WHO.search(text), _SCOPE.search(text)
    to = f"object {who[1]}" if who else "this login"
    at = f"scope {scope[1]}" if scope else place
    return f"Have the role {role!r} assigned to {to} at {at}. A new assignment takes some minutes."


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = getattr(error, "inner_exception", None) or error.__cause__ or error.__context__


def _deepest(chain: list[BaseException]) -> str:
    """requests and urllib3 wrap the cause with names of objects; the innermost text is the plain one."""
    return str(chain[-1])


def _host_of(chain: list[BaseException], where: Endpoints) -> str:
    """The host that the texts name, else the resource manager's."""
    texts = " ".join(map(str, chain))
    for url in (where.authority, where.resource_manager):
        host = urlsplit(url).hostname or ""
        if f"host='{host}'" in texts and _port(url) in texts:
            return urlsplit(url).netloc
    return urlsplit(where.resource_manager).netloc


def _port(url: str) -> str:
    return f"port={urlsplit(url).port or 443}"


def _text(error: Exception) -> str:
    """The message, without the body of an answer that is not a message."""
    return str(getattr(error, "message", None) or error)


def safe_lines(text: str) -> tuple[str, ...]:
    """At most a few lines, without anything that is or looks like a secret."""
    for name in SECRET_VARIABLES:
        if value := os.environ.get(name):
            text = text.replace(value, f"<{name}>")
    text = _TOKEN.sub("<token>", text)
    kept = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith(("Code:", "Message:"))]
    return tuple(line[:_LENGTH] for line in kept[:_LINES])
