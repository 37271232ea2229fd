"""`sohistio env`: list, show, validate, schema."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from environment_folder import QA, VARIABLES, environment_folder
from sohistio.commands.env import group_for
from sohistio.environments.load import layer_schema, load_environment, summary_of
from sohistio.errors import UsageError


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return environment_folder(tmp_path)


def run(*args: str, **variables: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(group_for(), args, env={"SOHISTIO_IP_PREFIX": None, **variables})
    if isinstance(result.exception, UsageError):
        return result.exception.exit_code, result.stdout, "\n".join((result.exception.what, *result.exception.details))
    assert result.exception is None
    return result.exit_code, result.stdout, result.stderr


def test_env_list_works_without_the_variable(root: Path) -> None:
    assert run("list") == (
        0,
        "NAME  VERSION  ADDRESS                       GATEWAYS  CLUSTER  PROTECTED\n"
        "qa    1.31.1   ${SOHISTIO_IP_PREFIX}.20.188  on        aks-qa   no\n"
        "\nFrom the folder environments.\nNot valid as they are: qa. `sohistio env validate` says why.\n",
        "",
    )
    assert run("list", SOHISTIO_IP_PREFIX="10.20")[1].splitlines()[1:] == [
        "qa    1.31.1   10.20.20.188  on        aks-qa   no",
        "",
        "From the folder environments.",
    ]
    document = json.loads(run("list", "--output", "json", "--environments", str(root))[1])
    problem = "environments/qa/environment.yaml:2: ingressAddress: the variable SOHISTIO_IP_PREFIX is not set"
    assert document == {
        "schemaVersion": "1",
        "kind": "EnvironmentList",
        "folder": str(root),
        "environments": [
            {
                "name": "qa",
                "version": "1.31.1",
                "ingressAddress": "${SOHISTIO_IP_PREFIX}.20.188",
                "gateways": "on",
                "cluster": "aks-qa",
                "protected": False,
                "problems": [problem],
            }
        ],
    }


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("environment.yaml", "["),
        ("environment.yaml", "istio: 3\ncluster: []\nprotected: [x]\nname: {}\nstandbyOf: []\n"),
        ("istiooperator.yaml", "spec: {components: {ingressGateways: 3}}"),
        ("istiooperator.yaml", "spec: {components: {ingressGateways: [{enabled: true}]}}"),
        ("istiooperator.yaml", "spec: 3"),
    ],
)
def test_a_broken_environment_still_has_a_summary(root: Path, file: str, text: str) -> None:
    (root / "qa" / file).write_text(text)
    assert summary_of("qa", root, VARIABLES).problems


def test_env_list_of_a_standby(root: Path) -> None:
    (root / "dr").mkdir()
    (root / "dr/environment.yaml").write_text("name: dr\nstandbyOf: qa\ncluster: {sandbox: two}\nprotected: true\n")
    assert "dr    1.31.1   -             off       sandbox two  yes\n" in run("list", SOHISTIO_IP_PREFIX="10.20")[1]


def test_env_show_prints_an_environment_that_is_valid_again(root: Path) -> None:
    nodes = "{context: aks-qa, nodes: {min: 5, max: 10, size: Standard_D8s_v3}}"
    (root / "qa/environment.yaml").write_text(QA.replace("{context: aks-qa}", nodes))
    code, text, _ = run("show", "qa", SOHISTIO_IP_PREFIX="10.20")
    assert code == 0
    before = load_environment("qa", root, VARIABLES)
    (root / "qa/environment.yaml").write_text(text)
    (root / "base/environment.yaml").write_text("# nothing is left to share\ndescription: ''\n")
    assert load_environment("qa", root, {}) == before
    document = json.loads(run("show", "qa", "--output", "json", SOHISTIO_IP_PREFIX="10.20")[1])
    assert document["schemaVersion"] == "1"
    assert document["environment"] == yaml.safe_load(text)
    assert document["digest"] == before.digest()
    assert document["gateways"][0] == {"name": "istio-ingressgateway", "namespace": "istio-system", "kind": "ingress"}


def test_env_validate_has_a_line_each_and_all_errors(root: Path) -> None:
    (root / "int").mkdir()
    (root / "int/environment.yaml").write_text(QA.replace("qa", "int") + "protcted: true\nrestarts: {parallel: 0}\n")
    assert run("validate", SOHISTIO_IP_PREFIX="10.20") == (
        2,
        "int  not valid: 2 problems\nqa   valid\n",
        "1 of 2 environments is not valid\n"
        "environments/int/environment.yaml:4: protcted: unknown key; did you mean protected?\n"
        "environments/int/environment.yaml:5: restarts.parallel: expected at least 1, got 0",
    )
    assert run("validate", "qa", SOHISTIO_IP_PREFIX="10.20") == (0, "qa  valid\n", "")
    assert run("validate", "qa")[:2] == (2, "qa  not valid: 1 problem\n")
    assert run("validate", "uat")[2] == "There is no environment named 'uat'"


def test_env_schema_prints_the_schema() -> None:
    assert json.loads(run("schema")[1]) == layer_schema()


def test_the_command_line_loads_no_heavy_package() -> None:
    code = (
        "import sys, sohistio.commands.env; print([m for m in ('pydantic', 'yaml', 'kubernetes') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "[]\n"
