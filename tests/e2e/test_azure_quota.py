"""The vCPU quota of the cluster's region, as Azure answers, and what it says of the gateways' maximum."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from aks import PRINCIPAL, Aks, properties
from azure_server import Answer, Azure, Request, arm_error, managed
from sandboxes import SUBSCRIPTION
from sides import INGRESS, gateways, side
from sohistio.adapters.azure.account import AksCluster
from sohistio.adapters.kubernetes.observe import observe
from sohistio.checks.peak import room_at_peak
from sohistio.checks.preflight.check import Good, NotAsked
from sohistio.checks.preflight.context import Context
from sohistio.errors import RefusedError
from sohistio.model.auth import Auth
from sohistio.model.fault import Fault, Severity
from sohistio.model.managed_cluster import AksPlace, AzureCloud
from sohistio.model.vcpu_quota import Usage
from sohistio.planning.session import Session, Where

pytestmark = pytest.mark.e2e

DEPLOYMENTS = "/apis/apps/v1/namespaces/istio-system/deployments"
GATEWAY = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": INGRESS.name},
    "spec": {
        "replicas": 0,
        "selector": {"matchLabels": {"app": "x"}},
        "template": {
            "metadata": {"labels": {"app": "x"}},
            "spec": {"containers": [{"name": "x", "image": "x", "resources": {"requests": {"cpu": "3"}}}]},
        },
    },
}

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


@pytest.fixture
def context(aks: Aks, cluster: AksCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Context]:
    """The cluster with a gateway that is off, and one pool of its nodes."""
    assert cluster
    # The kubeconfig of a session in this process stays until the process ends: not where other stories look.
    own = {"SOHISTIO_SUBSCRIPTION": SUBSCRIPTION, "XDG_STATE_HOME": str(tmp_path)}
    for name, value in (aks.environ() | own).items():
        monkeypatch.setenv(name, value)
    api = aks.sandbox.api
    if api.get("/api/v1/namespaces/istio-system") is None:
        api.create(
            "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "istio-system"}}
        )
    api.delete(f"{DEPLOYMENTS}/{INGRESS.name}")
    api.create(DEPLOYMENTS, GATEWAY)
    count = len(api.items("/api/v1/nodes"))
    pool = {"name": "nodepool1", "count": count, "vmSize": "Standard_D4s_v3", "mode": "System"}
    grows = {"enableAutoScaling": True, "minCount": count, "maxCount": count + 9}
    aks.azure.properties = properties(agentPoolProfiles=[pool | grows])
    session = Session(Where("qa", aks.environments, auth=Auth.ENVIRONMENT), lambda _: None)
    try:
        yield Context(session, observe(session.api), None)
    finally:
        api.delete(f"{DEPLOYMENTS}/{INGRESS.name}")


@pytest.mark.usefixtures("empty_sandbox")
def test_nodes_for_the_gateways_maximum(aks: Aks, context: Context) -> None:
    """20 vCPUs are left: five nodes of four. A node of the sandbox takes one pod of three CPUs."""
    nodes = len(context.nodes())
    one = side("dr", 0, gateways=gateways(0)[:1], minimums={INGRESS: 1}, maximums={INGRESS: nodes + 5})
    warned, good = room_at_peak(context, one)
    assert isinstance(warned, Fault)
    assert warned.severity is Severity.WARNING
    assert good == Good(
        "at the gateways' maximum it needs 5 more D4s_v3 (20 vCPU): "
        f"pool nodepool1 has {nodes} of at most {nodes + 9} nodes, quota has 20 left"
    )
    more = replace(one, maximums={INGRESS: nodes + 6})
    _, short = room_at_peak(context, more)
    assert isinstance(short, Fault)
    assert short.message == "at the gateways' maximum it needs 6 more D4s_v3 (24 vCPU), quota has 20 left"
    aks.azure.instead["usages"] = [arm_error(403, "AuthorizationFailed", "no")] * 5
    _, unknown = room_at_peak(context, more)
    assert isinstance(unknown, NotAsked)
    assert "its quota is not asked: Azure forbids this login to read the vCPU quota" in unknown.reason
    least = replace(one, minimums={INGRESS: nodes + 1})
    assert isinstance(next(iter(room_at_peak(context, least))), Fault)
