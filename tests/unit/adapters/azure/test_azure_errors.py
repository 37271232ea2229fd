"""Azure's exceptions in our words: what happened, what to do, and nothing that is secret."""

from __future__ import annotations

import json
import ssl
from types import SimpleNamespace
from typing import Any

import pytest
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceResponseTimeoutError,
)
from azure.identity import CredentialUnavailableError

from sohistio.adapters.azure.cloud import Endpoints
from sohistio.adapters.azure.errors import in_our_words, refusal_of
from sohistio.errors import ExitCode, RefusedError
from sohistio.model.auth import Auth

WHERE = Endpoints("https://login.example.com", "https://arm.example.com:8443")
TOKEN = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJhcm0ifQ.c2lnbmF0dXJl"


class Response:
    """As much of a response as azure-core's exceptions and we read."""

    def __init__(self, status: int, body: Any, url: str = "") -> None:
        self.status_code, self.reason, self._body = status, "why", json.dumps(body)
        self.request = SimpleNamespace(url=url)

    def text(self) -> str:
        return self._body


def answered(status: int, code: str, message: str, kind: type[HttpResponseError] = HttpResponseError) -> AzureError:
    return kind(response=Response(status, {"error": {"code": code, "message": message}}))


def caused(outer: AzureError, cause: Exception) -> AzureError:
    outer.__cause__ = cause
    return outer


REFUSED = ConnectionError("HTTPSConnectionPool(host='login.example.com', port=443): Connection refused")
UNTRUSTED = ssl.SSLError("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate")
NO_RIGHT = "The client 'c' with object id 'o-1' does not have authorization to perform action 'a' over scope '/s/1'."


@pytest.mark.parametrize(
    ("error", "what", "detail", "todo"),
    [
        (
            CredentialUnavailableError("Azure CLI not found on path"),
            "there is no login to Azure",
            "not found on path",
            "az login",
        ),
        (
            ClientAuthenticationError("AADSTS7000215: Invalid client secret"),
            "Azure rejects the login",
            "AADSTS7000215",
            "az login",
        ),
        (
            answered(403, "AuthorizationFailed", NO_RIGHT),
            "Azure forbids this login to read the cluster",
            "does not have",
            "object o-1 at scope /s/1",
        ),
        (answered(403, "RequestDisallowed", "by policy"), "Azure forbids", "by policy", "to this login at the cluster"),
        (
            answered(404, "ResourceGroupNotFound", "no group", ResourceNotFoundError),
            "Azure does not know the cluster",
            "no group",
            "resourceGroup",
        ),
        (
            answered(401, "InvalidAuthenticationTokenTenant", "wrong issuer", ClientAuthenticationError),
            "Azure rejects the login",
            "wrong issuer",
            "set tenant below cluster.aks",
        ),
        (answered(429, "TooManyRequests", "slow down"), "Azure is throttling", "slow down", "Try again"),
        (
            answered(500, "InternalServerError", "oh"),
            "could not be read from Azure (status 500)",
            "oh",
            "nothing was changed",
        ),
        (
            ServiceRequestError(str(REFUSED), error=REFUSED),
            "cannot be reached at login.example.com",
            "refused",
            "HTTPS_PROXY",
        ),
        (
            ServiceResponseTimeoutError("no answer"),
            "cannot be reached at arm.example.com:8443",
            "no answer",
            "HTTPS_PROXY",
        ),
        # azure-identity wraps what its connections raise.
        (
            caused(ClientAuthenticationError("Authentication failed"), ServiceRequestError("x", error=REFUSED)),
            "cannot be reached at login.example.com",
            "refused",
            "HTTPS_PROXY",
        ),
        (ServiceRequestError("x", error=UNTRUSTED), "no trusted TLS connection", "self-signed", "REQUESTS_CA_BUNDLE"),
    ],
)
def test_in_our_words(error: AzureError, what: str, detail: str, todo: str) -> None:
    ours = refusal_of(error, "the cluster", Auth.AZURE_CLI, WHERE)
    assert ours.exit_code is ExitCode.REFUSED
    assert what in ours.what
    assert detail in "\n".join(ours.details)
    assert todo in ours.todo


@pytest.mark.parametrize(
    "cls", [ClientAuthenticationError, CredentialUnavailableError, HttpResponseError, ServiceRequestError]
)
def test_no_secret_is_repeated(cls: type[AzureError], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "s3cr3t~")
    monkeypatch.setenv("SYSTEM_ACCESSTOKEN", "job-t0ken")
    said = f"sent s3cr3t~ and job-t0ken and {TOKEN}"
    with pytest.raises(RefusedError) as caught, in_our_words("the cluster", Auth.ENVIRONMENT, WHERE):
        raise cls(said)
    told = " ".join((caught.value.what, *caught.value.details, caught.value.todo))
    assert "sent <AZURE_CLIENT_SECRET> and <SYSTEM_ACCESSTOKEN> and <token>" in told
    for secret in ("s3cr3t~", "job-t0ken", TOKEN):
        assert secret not in told
    assert caught.value.__suppress_context__, "no traceback shows the original either"


@pytest.mark.parametrize("error", [ValueError("tenant_id is no id"), FileNotFoundError("/nowhere/token")])
def test_settings_that_cannot_be(error: Exception) -> None:
    with (
        pytest.raises(RefusedError, match="the workload identity of AZURE_CLIENT_ID cannot be used"),
        in_our_words("the cluster", Auth.WORKLOAD_IDENTITY, WHERE),
    ):
        raise error


OIDC = "https://dev.example.com/org/_apis/distributedtask"
NO_ID_TOKEN = "Unexpected response from OIDC token endpoint."
OUTLIVED = "AADSTS700024: Client assertion is not within its valid time range."


@pytest.mark.parametrize(
    ("error", "auth", "job", "what", "todo"),
    [
        *(
            (
                ClientAuthenticationError(NO_ID_TOKEN, response=Response(status, body, f"{OIDC}/oidctoken?x=1")),
                Auth.PIPELINES,
                True,
                f"Azure DevOps gives no id token for the service connection (status {status})",
                "SYSTEM_ACCESSTOKEN: $(System.AccessToken)",
            )
            for status, body in [(401, {"message": "TF400813: not authorized"}), (404, "a page")]
        ),
        (
            ClientAuthenticationError("OIDC token not found in response."),
            Auth.PIPELINES,
            True,
            "Azure DevOps gives no id token for the service connection",
            "may use the service connection",
        ),
        (
            ClientAuthenticationError("AADSTS700213: No matching federated identity record found"),
            Auth.PIPELINES,
            True,
            "Azure rejects the service connection",
            "federated credential",
        ),
        *(
            (kind(OUTLIVED), Auth.AZURE_CLI, True, what, "SYSTEM_ACCESSTOKEN")
            for kind, what in [
                (ClientAuthenticationError, "Azure rejects the login"),
                (CredentialUnavailableError, "there is no login to Azure"),
            ]
        ),
        (ClientAuthenticationError(OUTLIVED), Auth.WORKLOAD_IDENTITY, True, "Azure rejects", "SYSTEM_ACCESSTOKEN"),
        (ClientAuthenticationError(OUTLIVED), Auth.AZURE_CLI, False, "Azure rejects the login", "az login"),
        (ClientAuthenticationError(OUTLIVED), Auth.PIPELINES, True, "Azure rejects", "federated credential"),
    ],
)
def test_a_job_of_azure_pipelines(
    error: AzureError, auth: Auth, job: bool, what: str, todo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TF_BUILD", "True" if job else "")
    monkeypatch.setenv("SYSTEM_OIDCREQUESTURI", OIDC)
    ours = refusal_of(error, "the cluster", auth, WHERE)
    assert ours.what.startswith(what)
    assert todo in ours.todo


def test_a_long_page_is_cut() -> None:
    error = ClientAuthenticationError("\n".join("x" * 5000 for _ in range(100)))
    assert sum(map(len, refusal_of(error, "it", Auth.AZURE_CLI, WHERE).details)) < 5000
