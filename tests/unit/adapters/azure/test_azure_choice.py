"""Which login, which cloud: from flags and variables alone."""

from __future__ import annotations

import pytest

from sohistio.adapters.azure.cloud import Endpoints, endpoints
from sohistio.adapters.azure.login import Login, choose
from sohistio.errors import RefusedError, UsageError
from sohistio.model.auth import Auth
from sohistio.model.managed_cluster import AksPlace, AzureCloud

PIPELINES = {
    "TF_BUILD": "True",
    "SYSTEM_OIDCREQUESTURI": "https://dev.example.com/oidc",
    "SYSTEM_ACCESSTOKEN": "t",
    "AZURESUBSCRIPTION_CLIENT_ID": "c",
    "AZURESUBSCRIPTION_TENANT_ID": "t",
    "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID": "s",
}
PRINCIPAL = {"AZURE_CLIENT_ID": "c", "AZURE_TENANT_ID": "t"}
SECRET = PRINCIPAL | {"AZURE_CLIENT_SECRET": "s"}
CERTIFICATE = PRINCIPAL | {"AZURE_CLIENT_CERTIFICATE_PATH": "/cert.pem"}
WORKLOAD = PRINCIPAL | {"AZURE_FEDERATED_TOKEN_FILE": "/token"}


def without(variables: dict[str, str], name: str) -> dict[str, str]:
    return {key: value for key, value in variables.items() if key != name}


@pytest.mark.parametrize(
    ("variables", "expected", "noticed"),
    [
        ({}, Auth.AZURE_CLI, ""),
        (PIPELINES | SECRET | WORKLOAD, Auth.PIPELINES, ""),
        (SECRET | WORKLOAD, Auth.ENVIRONMENT, ""),
        (CERTIFICATE, Auth.ENVIRONMENT, ""),
        (WORKLOAD, Auth.WORKLOAD_IDENTITY, ""),
        (PRINCIPAL, Auth.AZURE_CLI, ""),
        (SECRET | {"AZURE_CLIENT_SECRET": ""}, Auth.AZURE_CLI, ""),
        (without(PIPELINES, "TF_BUILD"), Auth.AZURE_CLI, ""),
        (without(PIPELINES, "SYSTEM_ACCESSTOKEN"), Auth.AZURE_CLI, "SYSTEM_ACCESSTOKEN not set"),
        (without(PIPELINES, "SYSTEM_ACCESSTOKEN") | SECRET, Auth.ENVIRONMENT, "SYSTEM_ACCESSTOKEN not set"),
        (without(PIPELINES, "AZURESUBSCRIPTION_CLIENT_ID"), Auth.AZURE_CLI, ""),
    ],
)
def test_the_order(variables: dict[str, str], expected: Auth, noticed: str) -> None:
    found = choose(Auth.AUTO, variables)
    assert found.auth is expected
    assert bool(found.notice) is bool(noticed)
    assert noticed in found.notice


@pytest.mark.parametrize("auth", [auth for auth in Auth if auth is not Auth.AUTO])
def test_the_one_asked_for_is_taken(auth: Auth) -> None:
    assert choose(auth, PIPELINES | SECRET | WORKLOAD).auth is auth


@pytest.mark.parametrize(
    ("auth", "variables", "words"),
    [
        (Auth.PIPELINES, without(PIPELINES, "SYSTEM_ACCESSTOKEN"), "SYSTEM_ACCESSTOKEN is not set"),
        (Auth.ENVIRONMENT, {}, "AZURE_CLIENT_ID, AZURE_TENANT_ID, AZURE_CLIENT_SECRET are not set"),
        (Auth.WORKLOAD_IDENTITY, SECRET, "AZURE_FEDERATED_TOKEN_FILE is not set"),
    ],
)
def test_the_one_asked_for_lacks_something(auth: Auth, variables: dict[str, str], words: str) -> None:
    with pytest.raises(RefusedError, match=words) as caught:
        choose(auth, variables)
    assert caught.value.todo


PUBLIC = Endpoints("https://login.microsoftonline.com", "https://management.azure.com")


@pytest.mark.parametrize(
    ("cloud", "host", "expected"),
    [
        (None, "", PUBLIC),
        (None, "login.microsoftonline.com/", PUBLIC),
        (
            None,
            "https://login.microsoftonline.us",
            Endpoints("https://login.microsoftonline.us", "https://management.usgovcloudapi.net"),
        ),
        (
            None,
            "login.chinacloudapi.cn",
            Endpoints("https://login.chinacloudapi.cn", "https://management.chinacloudapi.cn"),
        ),
        (
            AzureCloud("login.own.example", "https://arm.own.example/", instance_discovery=False),
            "login.microsoftonline.us",
            Endpoints("https://login.own.example", "https://arm.own.example", instance_discovery=False),
        ),
    ],
)
def test_the_cloud(cloud: AzureCloud | None, host: str, expected: Endpoints) -> None:
    found = endpoints(cloud, {"AZURE_AUTHORITY_HOST": host})
    assert found == expected
    assert found.scope == f"{expected.resource_manager}/.default"


@pytest.mark.parametrize("url", ["http://login.example.com", "https://", "ftp://x"])
def test_tokens_are_sent_over_tls_only(url: str) -> None:
    with pytest.raises(UsageError, match="no https URL"):
        endpoints(AzureCloud(url, "https://arm.example.com"), {})
    with pytest.raises(UsageError, match="AZURE_AUTHORITY_HOST"):
        endpoints(None, {"AZURE_AUTHORITY_HOST": url})


@pytest.mark.parametrize(
    ("login", "flags"),
    [
        (Login(), []),
        (Login.to(AksPlace("sub", "g", "n"), Auth.AZURE_CLI), ["--auth=azure-cli", "--subscription=sub"]),
        (
            Login.to(
                AksPlace("sub", "g", "n", "ten", AzureCloud("a", "https://m", instance_discovery=False)), Auth.AUTO
            ),
            [
                "--tenant=ten",
                "--subscription=sub",
                "--authority=a",
                "--resource-manager=https://m",
                "--no-instance-discovery",
            ],
        ),
    ],
)
def test_a_login_as_flags(login: Login, flags: list[str]) -> None:
    assert login.arguments() == flags
