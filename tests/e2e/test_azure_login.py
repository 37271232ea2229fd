"""Each kind of login to Azure, and what is said where one does not work: exit 3, and nothing was written."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
import yaml

from agent_reading import read
from aks import PRINCIPAL, Aks, properties
from azure_server import CLIENT, OBJECT, Answer, arm_error
from sandboxes import Sandbox

pytestmark = pytest.mark.e2e

INSTALL = ("install", "--env", "qa", "--yes")
HISTORY = ("history", "--env", "qa")
Login = Callable[[Aks], Mapping[str, str]]


def principal(_: Aks) -> Mapping[str, str]:
    return PRINCIPAL


def everything(aks: Aks) -> Mapping[str, str]:
    return aks.azure_cli() | aks.workload_identity() | PRINCIPAL | aks.pipelines()


@pytest.fixture(scope="module", autouse=True)
def nothing_recorded(sandbox: Sandbox) -> None:
    sandbox.reset()


@pytest.mark.parametrize(
    ("login", "flags", "words"),
    [
        (Aks.pipelines, (), "the service connection of Azure Pipelines"),
        (principal, (), "the service principal of AZURE_CLIENT_ID"),
        (Aks.workload_identity, (), "the workload identity of AZURE_CLIENT_ID"),
        (Aks.azure_cli, (), "the login of the Azure CLI"),
        (everything, (), "the service connection of Azure Pipelines"),
        (everything, ("--auth", "environment"), "the service principal"),
        (everything, ("--auth", "workload-identity"), "the workload identity"),
        (everything, ("--auth", "azure-cli"), "the login of the Azure CLI"),
    ],
)
def test_each_kind_of_login(aks: Aks, login: Login, flags: tuple[str, ...], words: str) -> None:
    done = aks.run(*HISTORY, *flags, login=login(aks))
    assert done.returncode == 0, done.stderr
    assert f"Azure: {words}" in done.stderr
    assert "nothing recorded" in done.stdout
    assert aks.azure.tokens() > 0, "the API server was asked with a token of Azure's"
    assert not aks.sandbox.folders_of_runs, "the run's kubeconfig is gone with it"


def test_a_service_connection_that_lacks_its_token_is_told(aks: Aks) -> None:
    login = aks.azure_cli() | aks.pipelines() | {"SYSTEM_ACCESSTOKEN": ""}
    done = aks.run(*HISTORY, login=login)
    assert done.returncode == 0, done.stderr
    assert "the service connection is there, but cannot be used: SYSTEM_ACCESSTOKEN not set" in done.stderr
    assert "Azure: the login of the Azure CLI" in done.stderr


@pytest.mark.parametrize(
    ("login", "words"),
    [
        (lambda aks: aks.azure_cli(logged_in=False), ("there is no login to Azure", "az login")),
        (lambda _: {"PATH": "/nowhere"}, ("there is no login to Azure", "Azure CLI not found")),
        (
            lambda _: PRINCIPAL | {"AZURE_CLIENT_SECRET": "wr0ng~secret"},
            ("rejects the service principal", "AADSTS7000215"),
        ),
        (
            lambda aks: aks.pipelines() | {"SYSTEM_ACCESSTOKEN": "wr0ng~secret"},
            ("Azure DevOps gives no id token for the service connection (status 401)", "TF400813"),
        ),
        (
            lambda aks: aks.pipelines() | {"AZURESUBSCRIPTION_CLIENT_ID": "somebody"},
            ("rejects the service connection", "AADSTS700016"),
        ),
        (
            lambda aks: aks.workload_identity() | {"AZURE_FEDERATED_TOKEN_FILE": "/nowhere/token"},
            ("the workload identity", "/nowhere/token"),
        ),
    ],
    ids=["not-logged-in", "no-az", "wrong-secret", "wrong-job-token", "wrong-application", "no-token-file"],
)
def test_a_login_that_does_not_work(aks: Aks, login: Login, words: tuple[str, ...]) -> None:
    said = aks.refused(*INSTALL, login=login(aks))
    for word in words:
        assert word in said
    assert "wr0ng~secret" not in said
    people = "\n".join(read(said).lines)
    assert people.count("rejects") <= 1, "told once, not by Azure's libraries too"


def test_a_login_asked_for_that_is_not_there(aks: Aks) -> None:
    said = aks.refused(*INSTALL, "--auth", "pipelines")
    assert "--auth pipelines cannot be used: SYSTEM_OIDCREQUESTURI, SYSTEM_ACCESSTOKEN" in said


SCOPE = "/subscriptions/1/resourceGroups/rg-aks-qa/providers/Microsoft.ContainerService/managedClusters/aks-qa"
FORBIDDEN = (
    f"The client '{CLIENT}' with object id '{OBJECT}' does not have authorization to perform action "
    f"'Microsoft.ContainerService/managedClusters/read' over scope '{SCOPE}' or the scope is invalid."
)
BUSY = arm_error(429, "TooManyRequests", "The request is being throttled.", Retry_After="1")


@pytest.mark.parametrize("kind", ["cluster", "credentials"])
def test_forbidden(aks: Aks, kind: str) -> None:
    aks.azure.instead[kind] = [arm_error(403, "AuthorizationFailed", FORBIDDEN)]
    said = aks.refused(*INSTALL)
    assert "Azure forbids this login to read the AKS cluster aks-qa" in said
    text = " ".join(said.split())
    assert f"role 'Azure Kubernetes Service Cluster User Role' assigned to object {OBJECT} at scope {SCOPE}" in text


def test_a_cluster_that_is_not_there(aks: Aks) -> None:
    path = aks.environments / "qa" / "environment.yaml"
    before = path.read_text()
    path.write_text(before.replace("name: aks-qa", "name: aks-other"))
    try:
        said = aks.refused(*INSTALL)
    finally:
        path.write_text(before)
    assert "Azure does not know the AKS cluster aks-other" in said
    assert "ResourceNotFound" in said
    assert "cluster.aks" in said


def test_throttled_for_a_moment(aks: Aks) -> None:
    aks.azure.instead["cluster"] = [BUSY, BUSY]
    aks.azure.instead["credentials"] = [BUSY]
    done = aks.run(*HISTORY)
    assert done.returncode == 0, done.stderr
    assert [kind for kind, _ in aks.azure.asked].count("cluster") == 3


def test_throttled_for_good(aks: Aks) -> None:
    aks.azure.instead["cluster"] = [BUSY] * 20
    said = aks.refused(*INSTALL)
    assert "Azure is throttling" in said
    assert [kind for kind, _ in aks.azure.asked].count("cluster") == 4


def test_an_answer_that_is_an_error_of_azure(aks: Aks) -> None:
    aks.azure.instead["cluster"] = [Answer(500, {"error": {"code": "InternalServerError", "message": "oh"}})] * 20
    assert "could not be read from Azure (status 500)" in aks.refused(*INSTALL)


@pytest.mark.parametrize("key", ["authority", "resourceManager"])
def test_azure_that_cannot_be_reached(aks: Aks, key: str) -> None:
    path = aks.environments / "qa" / "environment.yaml"
    before = path.read_text()
    document = yaml.safe_load(before)
    document["cluster"]["aks"]["cloud"][key] = "https://127.0.0.1:9"
    path.write_text(yaml.safe_dump(document))
    try:
        said = aks.refused(*INSTALL)
    finally:
        path.write_text(before)
    assert "Azure cannot be reached at 127.0.0.1:9" in said
    assert "HTTPS_PROXY" in said


def test_an_authority_that_is_not_trusted(aks: Aks) -> None:
    said = aks.refused(*INSTALL, REQUESTS_CA_BUNDLE="")
    assert "no trusted TLS connection to Azure" in said
    assert "REQUESTS_CA_BUNDLE" in said


def test_a_stopped_cluster(aks: Aks) -> None:
    aks.azure.properties = properties(powerState={"code": "Stopped"})
    said = aks.refused(*INSTALL)
    assert "the AKS cluster aks-qa is stopped" in said
    assert "az aks start" in said


def test_an_error_is_a_document_too(aks: Aks) -> None:
    aks.azure.instead["cluster"] = [arm_error(403, "AuthorizationFailed", FORBIDDEN)]
    done = aks.run(*INSTALL, "--output", "json")
    assert done.returncode == 3
    assert '"kind": "Error"' in done.stdout
