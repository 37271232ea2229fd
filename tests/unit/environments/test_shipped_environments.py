"""The environments that sohistio comes with, and their schema."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from environment_folder import VARIABLES, environment_folder
from sohistio.environments.aks import Aks
from sohistio.environments.load import environment_names, find_environments_root, layer_schema, load_environment
from sohistio.errors import UsageError
from sohistio.model.managed_cluster import AksPlace, AzureCloud
from sohistio.model.versions import Version

SHIPPED = Path(__file__).parents[3] / "environments"
SHIPPED_VARIABLES = VARIABLES | {"SOHISTIO_SUBSCRIPTION": "the-subscription"}

ARCHITECTURE: Mapping[str, dict[str, Any]] = {
    "dev": {"address": "10.20.147.60", "nodes": (3, 5, "Standard_D4s_v3"), "protected": False, "standby_of": None},
    "int": {"address": "10.20.151.28", "nodes": (3, 5, "Standard_D4s_v3"), "protected": False, "standby_of": None},
    "qa": {"address": "10.20.20.188", "nodes": (5, 10, "Standard_D8s_v3"), "protected": False, "standby_of": None},
    "prod": {"address": "10.20.20.221", "nodes": (10, 20, "Standard_D16s_v3"), "protected": True, "standby_of": None},
    "dr": {"address": None, "nodes": (10, 20, "Standard_D16s_v3"), "protected": True, "standby_of": "prod"},
    "local": {"address": "127.147.0.10", "nodes": None, "protected": False, "standby_of": None},
}


def test_the_shipped_environments_are_those_of_the_architecture() -> None:
    assert environment_names(SHIPPED) == sorted(ARCHITECTURE)


@pytest.mark.parametrize("name", ARCHITECTURE)
def test_a_shipped_environment_has_the_architectures_figures(name: str) -> None:
    expected = ARCHITECTURE[name]
    env = load_environment(name, SHIPPED, SHIPPED_VARIABLES)
    nodes, aks = env.cluster.nodes, env.cluster.aks
    if aks is None:
        assert env.cluster.sandbox == name
    else:
        assert aks.place() == AksPlace("the-subscription", f"rg-aks-{name}", f"aks-{name}")
    assert env.name == name
    assert env.ingress_address == expected["address"]
    assert (nodes and (nodes.min, nodes.max, nodes.size)) == expected["nodes"]
    assert env.protected is expected["protected"]
    assert env.standby_of == expected["standby_of"]
    assert env.is_standby is (name == "dr")
    assert env.istio.version == Version(1, 31, 1)
    assert (env.istio.hub, env.istio.pull_secret) == (
        ("docker.io/istio", None) if name == "local" else ("dtr.metlife.com/istio", "jfrogauth")
    )
    assert (env.timeouts.component_seconds, env.timeouts.total_seconds) == (300, 1200)
    assert [(item.name, item.namespace, item.kind) for item in env.gateways] == [
        ("istio-ingressgateway", "istio-system", "ingress"),
        ("istio-egressgateway", "istio-system", "egress"),
    ]


def test_an_aks_cluster_in_a_cloud_of_its_own() -> None:
    cloud = {"authority": "login.example.com", "resourceManager": "https://arm.example.com", "instanceDiscovery": False}
    named = Aks.model_validate({"subscription": "s", "resourceGroup": "g", "name": "n", "tenant": "t", "cloud": cloud})
    expected = AzureCloud("login.example.com", "https://arm.example.com", instance_discovery=False)
    assert named.place() == AksPlace("s", "g", "n", "t", expected)


def test_the_shipped_schema_is_the_models() -> None:
    assert json.loads((SHIPPED / "environment.schema.json").read_text()) == layer_schema()


def test_the_schema_accepts_the_shipped_files_and_refuses_a_misspelt_key() -> None:
    validator = jsonschema.Draft202012Validator(layer_schema())
    validator.check_schema(layer_schema())
    for file in SHIPPED.glob("*/environment.yaml"):
        assert file.read_text().startswith("# yaml-language-server: $schema=../environment.schema.json\n")
        validator.validate(yaml.safe_load(file.read_text()))
    for wrong in ({"protcted": True}, {"applicationNamespaces": ["kube-system"]}, {"timeouts": {"total": 90}}):
        assert not validator.is_valid(wrong)


def test_the_folder_is_found_here_or_further_up_or_comes_with_sohistio(tmp_path: Path) -> None:
    root = environment_folder(tmp_path)
    below = root.parent / "a" / "b"
    below.mkdir(parents=True)
    assert find_environments_root(None, root.parent) == root
    assert find_environments_root(None, below) == root
    assert find_environments_root(root, Path("/")) == root
    assert environment_names(find_environments_root(None, Path("/"))) == sorted(ARCHITECTURE)
    with pytest.raises(UsageError, match="is not a folder of environments"):
        find_environments_root(tmp_path / "nowhere", root.parent)
