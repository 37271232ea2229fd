"""The vCPU quota of the cluster's region, as Azure answers."""

from __future__ import annotations

import pytest

from aks import PRINCIPAL, Aks
from azure_server import Answer, Azure, Request, arm_error, managed
from conftest import SUBSCRIPTION
from sohistio.adapters.azure.account import AksCluster
from sohistio.errors import RefusedError
from sohistio.model.auth import Auth
from sohistio.model.managed_cluster import AksPlace, AzureCloud
from sohistio.model.vcpu_quota import Usage

pytestmark = pytest.mark.e2e

USAGES = {"cores": (80, 200), "standardDSv3Family": (64, 84)}


@managed
def one_a_page(azure: Azure, request: Request) -> Answer:
    """Azure's answer, with one usage on each page."""
    assert request.query["api-version"]
    page = int(request.query.get("page", 0))
    name, (used, limit) = list(USAGES.items())[page]
    value = [{"name": {"value": name, "localizedValue": name}, "currentValue": used, "limit": limit, "unit": "Count"}]
    link = f"{azure.url}{request.path}?api-version={request.query['api-version']}&page={page + 1}"
    return Answer(200, {"value": value} | ({"nextLink": link} if page + 1 < len(USAGES) else {}))


@pytest.fixture
def cluster(aks: Aks, monkeypatch: pytest.MonkeyPatch) -> AksCluster:
    for name, value in PRINCIPAL.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(aks.azure.authority_file))
    monkeypatch.setattr(aks.azure, "routes", [("usages", "GET", "/usages", one_a_page), *aks.azure.routes])
    cloud = AzureCloud(aks.azure.url, aks.azure.url, instance_discovery=False)
    return AksCluster(AksPlace(SUBSCRIPTION, "rg-aks-qa", "aks-qa", cloud=cloud), Auth.ENVIRONMENT, lambda _: None)


def test_every_page_is_read(aks: Aks, cluster: AksCluster) -> None:
    assert cluster.vcpu_usages() == {"cores": Usage(80, 200), "standarddsv3family": Usage(64, 84)}
    asked = [path for kind, path in aks.azure.asked if kind == "usages"]
    path = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Compute/locations/eastus/usages"
    assert asked == [path, path]


def test_a_next_page_elsewhere_gets_no_token(aks: Aks, cluster: AksCluster) -> None:
    usage = {"name": {"value": "cores"}, "currentValue": 1, "limit": 2}
    aks.azure.instead["usages"] = [Answer(200, {"value": [usage], "nextLink": "https://localhost:1/more"})]
    assert cluster.vcpu_usages() == {"cores": Usage(1, 2)}


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (arm_error(403, "AuthorizationFailed", "no"), "Azure forbids this login to read the vCPU quota of eastus"),
        (Answer(200, ["no usages"]), "the vCPU quota of eastus could not be read from Azure"),
    ],
    ids=["forbidden", "no-list"],
)
def test_no_answer_is_an_error_of_its_own(aks: Aks, cluster: AksCluster, answer: Answer, words: str) -> None:
    aks.azure.instead["usages"] = [answer] * 5
    with pytest.raises(RefusedError) as caught:
        cluster.vcpu_usages()
    assert words in caught.value.what
