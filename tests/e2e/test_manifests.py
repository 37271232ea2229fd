"""What the real istioctl makes of every environment, against the architecture's figures."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from sohistio.environments.load import environment_names, load_environment
from sohistio.environments.yaml_files import to_yaml
from sohistio.errors import UsageError

ENVIRONMENTS = Path(__file__).parents[2] / "environments"
VARIABLES = {"SOHISTIO_IP_PREFIX": "10.20", "SOHISTIO_SUBSCRIPTION": "any"}
GATEWAYS = ("istio-ingressgateway", "istio-egressgateway")
COMPONENTS = ("istiod", *GATEWAYS)

ADDRESSES = {
    "dev": "10.20.147.60",
    "int": "10.20.151.28",
    "qa": "10.20.20.188",
    "prod": "10.20.20.221",
    "dr": None,
    "local": "127.147.0.10",
}
RESOURCES: Mapping[str, Any] = {
    "istiod": {"requests": {"cpu": "500m", "memory": "2048Mi"}, "limits": {"cpu": "1000m", "memory": "2560Mi"}},
    "gateway": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"cpu": "1000m", "memory": "1024Mi"}},
    "sidecar": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"cpu": "2000m", "memory": "1024Mi"}},
}

Objects = Mapping[tuple[str, str], dict[str, Any]]

pytestmark = pytest.mark.e2e


def render(name: str, root: Path, variables: Mapping[str, str]) -> str:
    """The one IstioOperator of an environment."""
    return to_yaml(load_environment(name, root, variables).operator_for())


def generate(istioctl: Path, operator: str) -> subprocess.CompletedProcess[str]:
    command = [str(istioctl), "manifest", "generate", "-f", "-"]
    return subprocess.run(command, input=operator, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def objects_of(istioctl: Path) -> Callable[[str], Objects]:
    """The objects of an environment by kind and name; each kind and name is there once only."""

    @cache
    def objects(name: str) -> Objects:
        result = generate(istioctl, render(name, ENVIRONMENTS, VARIABLES))
        assert (result.returncode, result.stderr) == (0, "")
        found: dict[tuple[str, str], dict[str, Any]] = {}
        for item in yaml.load_all(result.stdout, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            if item:
                key = (item["kind"], item["metadata"]["name"])
                assert key not in found or item["metadata"].get("namespace") != found[key]["metadata"].get("namespace")
                found[key] = item
        return found

    return objects


@pytest.fixture(params=ADDRESSES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def of_kind(objects: Objects, kind: str) -> Iterator[dict[str, Any]]:
    return (item for (item_kind, _), item in objects.items() if item_kind == kind)


def test_every_environment_is_in_the_table() -> None:
    assert environment_names(ENVIRONMENTS) == sorted(ADDRESSES)


def test_replicas_and_autoscaling(name: str, objects_of: Callable[[str], Objects]) -> None:
    objects = objects_of(name)
    scaled = {item["metadata"]["name"]: item["spec"] for item in of_kind(objects, "HorizontalPodAutoscaler")}
    assert set(scaled) == set(COMPONENTS)
    for component in COMPONENTS:
        deployment = objects["Deployment", component]["spec"]
        standby = name == "dr" and component in GATEWAYS
        assert deployment.get("replicas", "left to the HPA") == (0 if standby else "left to the HPA")
        hpa = scaled[component]
        assert (hpa["minReplicas"], hpa["maxReplicas"]) == (3, 10)
        assert hpa["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": component}
        metrics = {item["resource"]["name"]: item["resource"]["target"] for item in hpa["metrics"]}
        eighty = {"type": "Utilization", "averageUtilization": 80}
        assert metrics == ({"cpu": eighty, "memory": eighty} if component in GATEWAYS else {"cpu": eighty})


def test_exactly_one_disruption_budget_each(name: str, objects_of: Callable[[str], Objects]) -> None:
    objects = objects_of(name)
    budgets = [item["spec"] for item in of_kind(objects, "PodDisruptionBudget")]
    for component in COMPONENTS:
        labels = objects["Deployment", component]["spec"]["template"]["metadata"]["labels"]
        over_it = [spec for spec in budgets if spec["selector"]["matchLabels"].items() <= labels.items()]
        assert [(spec["minAvailable"], spec.get("maxUnavailable")) for spec in over_it] == [(2, None)]
    assert len(budgets) == len(COMPONENTS)


def test_gateways_are_replaced_without_cutting_requests(name: str, objects_of: Callable[[str], Objects]) -> None:
    """A new pod before an old one goes, and time for what is open; the sandbox's load balancer knows at once."""
    delay = 0 if name == "local" else 10
    for gateway in GATEWAYS:
        spec = objects_of(name)["Deployment", gateway]["spec"]
        assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
        assert spec.get("minReadySeconds", 0) == (5 if delay else 0)
        pod = spec["template"]["spec"]
        assert pod["terminationGracePeriodSeconds"] == delay + 75
        (container,) = pod["containers"]
        assert container.get("lifecycle") == ({"preStop": {"sleep": {"seconds": delay}}} if delay else None)
        assert {"name": "EXIT_ON_ZERO_ACTIVE_CONNECTIONS", "value": "true"} in container["env"]


def test_resources(name: str, objects_of: Callable[[str], Objects]) -> None:
    objects = objects_of(name)
    for component in COMPONENTS:
        (container,) = objects["Deployment", component]["spec"]["template"]["spec"]["containers"]
        assert container["resources"] == RESOURCES["gateway" if component in GATEWAYS else component]
    values = json.loads(objects["ConfigMap", "istio-sidecar-injector"]["data"]["values"])
    assert values["global"]["proxy"]["resources"] == RESOURCES["sidecar"]


def test_images_and_pull_secret(name: str, objects_of: Callable[[str], Objects]) -> None:
    objects = objects_of(name)
    hub, secrets = ("docker.io/istio", []) if name == "local" else ("dtr.metlife.com/istio", ["jfrogauth"])
    for component, image in zip(COMPONENTS, ("pilot", "proxyv2", "proxyv2"), strict=True):
        (container,) = objects["Deployment", component]["spec"]["template"]["spec"]["containers"]
        assert container["image"] == f"{hub}/{image}:1.31.1"
    for account in of_kind(objects, "ServiceAccount"):
        assert [item["name"] for item in account.get("imagePullSecrets", [])] == secrets
    values = json.loads(objects["ConfigMap", "istio-sidecar-injector"]["data"]["values"])["global"]
    assert (values["hub"], values["tag"], values["imagePullSecrets"]) == (hub, "1.31.1", secrets)


def test_services_of_gateways(name: str, objects_of: Callable[[str], Objects]) -> None:
    ingress, egress = (objects_of(name)["Service", gateway] for gateway in GATEWAYS)
    expected = {"service.beta.kubernetes.io/azure-load-balancer-internal": "true"}
    if ADDRESSES[name]:
        expected["service.beta.kubernetes.io/azure-load-balancer-ipv4"] = str(ADDRESSES[name])
    assert ingress["metadata"]["annotations"] == expected
    assert (ingress["spec"]["type"], egress["spec"]["type"]) == ("LoadBalancer", "ClusterIP")
    assert not ingress["spec"].get("loadBalancerIP")
    assert not egress["metadata"].get("annotations")


def test_all_is_in_istio_system_in_the_default_revision(name: str, objects_of: Callable[[str], Objects]) -> None:
    for component in COMPONENTS:
        metadata = objects_of(name)["Deployment", component]["metadata"]
        assert (metadata["namespace"], metadata["labels"]["istio.io/rev"]) == ("istio-system", "default")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "spec:\n  components:\n    pilot:\n      k8s:\n        hpaSpek: {}\n",
            "5: spec.components.pilot.k8s.hpaSpek: unknown key; did you mean hpaSpec?",
        ),
        ("spec:\n  valuess: {}\n", "2: spec.valuess: unknown key; did you mean values?"),
    ],
)
def test_a_misspelt_overlay_is_refused_before_istioctl_sees_it(tmp_path: Path, text: str, line: str) -> None:
    folder = tmp_path / "environments"
    shutil.copytree(ENVIRONMENTS, folder)
    (folder / "qa" / "istiooperator.yaml").write_text(text)
    with pytest.raises(UsageError) as caught:
        render("qa", folder, VARIABLES)
    assert caught.value.details == (f"{folder}/qa/istiooperator.yaml:{line}",)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("spec: {values: {pilot: {autoscaleMinn: 3}}}\n", "autoscaleMinn"),
        ("spec: {components: {pilot: {k8s: {podDisruptionBudget: {minAvailabl: 2}}}}}\n", "minAvailabl"),
    ],
)
def test_a_misspelt_key_further_down_is_refused_by_istioctl(
    istioctl: Path, tmp_path: Path, text: str, field: str
) -> None:
    folder = tmp_path / "environments"
    shutil.copytree(ENVIRONMENTS, folder)
    (folder / "qa" / "istiooperator.yaml").write_text(text)
    result = generate(istioctl, render("qa", folder, VARIABLES))
    assert result.returncode != 0
    assert f'unknown field "{field}"' in result.stderr
