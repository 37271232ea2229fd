"""istio.pullSecretSource: which of four, and that no password gets into an environment or a message."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from sohistio.environments.load import load_environment
from sohistio.environments.model import Istio
from sohistio.environments.pull_secret import PullSecretSource
from sohistio.errors import UsageError

SHIPPED = Path(__file__).parents[3] / "environments"
PASSWORD = "hunter2!"


def istio(folder: Path, text: str, **variables: str) -> Istio:
    """The part `istio` of an environment `qa` whose file has this text in it."""
    root = Path(shutil.copytree(SHIPPED, folder / "environments"))
    file = root / "qa" / "environment.yaml"
    file.write_text(f"{file.read_text()}\nistio:\n{text}\n")
    return load_environment(
        "qa", root, {"SOHISTIO_IP_PREFIX": "10.20", "SOHISTIO_SUBSCRIPTION": "any", **variables}
    ).istio


def load(folder: Path, source: str, **variables: str) -> PullSecretSource | None:
    """Its source of pull Secrets, of this text."""
    return istio(folder, f"  pullSecretSource: {source}", **variables).pull_secret_source


@pytest.mark.parametrize(
    "source",
    [
        "{variables: {username: JFROG_USERNAME, password: JFROG_PASSWORD}}",
        "{dockerConfig: /home/vsts/.docker/config.json}",
        "{dockerConfig: ~/.docker/config.json}",
        "{secret: platform/registry.login}",
        "{keyVault: {vault: 'https://registries.vault.azure.net/', secret: jfrog-login}}",
    ],
)
def test_each_source_is_read(tmp_path: Path, source: str) -> None:
    found = load(tmp_path, source)
    assert found is not None
    assert found.model_dump(by_alias=True, exclude_defaults=True) == yaml.safe_load(source)


def test_a_path_may_hold_a_variable(tmp_path: Path) -> None:
    found = load(tmp_path, "{dockerConfig: '${DOCKER_CONFIG}/config.json'}", DOCKER_CONFIG="/agent/docker")
    assert found is not None
    assert found.docker_config == "/agent/docker/config.json"


def test_without_a_source_nothing_is_managed(tmp_path: Path) -> None:
    assert load(tmp_path, "null") is None


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{}", "expected one of variables, dockerConfig, secret and keyVault"),
        ("{secret: a/b, dockerConfig: /x}", "expected one of variables, dockerConfig, secret and keyVault"),
        ("{secret: jfrogauth}", "pullSecretSource.secret: expected namespace/name"),
        ("{dockerConfig: config.json}", "expected an absolute path"),
        ("{keyVault: {vault: registries, secret: a}}", "expected the vault's URL"),
        ("{keyVault: {vault: 'https://x', secret: a/b}}", "expected the name of a secret"),
        ("{variable: {}}", "did you mean variables?"),
        ("{variables: {username: JFROG_USERNAME}}", "password: is missing"),
        ("{variables: {username: JFROG_USERNAME, password: '${JFROG_PASSWORD}'}}", "without ${}"),
        (f"{{variables: {{username: JFROG_USERNAME, password: '{PASSWORD}'}}}}", "to name variables"),
        (f"{{variables: {{username: JFROG_USERNAME, password: ['{PASSWORD}']}}}}", "expected text, got a list"),
    ],
)
def test_a_wrong_source_is_named_and_no_password_with_it(tmp_path: Path, source: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        load(tmp_path, source, JFROG_PASSWORD=PASSWORD)
    told = "\n".join((caught.value.what, *caught.value.details, caught.value.todo))
    assert said in told
    assert "environment.yaml:" in told
    assert PASSWORD not in told


SOURCES = "  pullSecretSource: {secret: platform/registry}\n  pullSecretRegistries:\n"
ONE = "{dockerConfig: /home/vsts/.docker/config.json}"


@pytest.mark.parametrize("name", ["jfrog.example.com", "jfrog.example.com:8443", "localhost:5000", "jfrog:5000"])
def test_another_registry_has_a_source_of_its_own(tmp_path: Path, name: str) -> None:
    found = istio(tmp_path, f"{SOURCES}    '{name}': {ONE}").pull_secret_registries
    assert {key: source.docker_config for key, source in found.items()} == {name: "/home/vsts/.docker/config.json"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{SOURCES}    jfrog.example.com/base: {ONE}", "expected names of registries such as jfrog.example.com"),
        (f"{SOURCES}    jfrog: {ONE}", "expected names of registries such as jfrog.example.com"),
        (f"{SOURCES}    https://jfrog.example.com: {ONE}", "expected names of registries such as jfrog.example.com"),
        (
            f"{SOURCES}    dtr.metlife.com: {ONE}",
            "expected dtr.metlife.com, the registry of the hub, in pullSecretSource",
        ),
        (f"{SOURCES}    jfrog.example.com: {{}}", "expected one of variables, dockerConfig, secret and keyVault"),
        (f"{SOURCES}    jfrog.example.com: {{secrt: a/b}}", "secrt: unknown key; did you mean secret?"),
        (f"{SOURCES}    jfrog.example.com: {{keyVault: {{valt: x}}}}", "valt: unknown key; did you mean vault?"),
        (
            f"{SOURCES}    jfrog.example.com: {{variables: {{username: USER, password: '${{JFROG_PASSWORD}}'}}}}",
            "without ${}",
        ),
        (f"  pullSecretRegistries: {{jfrog.example.com: {ONE}}}", "expected pullSecret and pullSecretSource beside"),
        ("  pullSecretRegistries: [jfrog.example.com]", "pullSecretRegistries: expected keys and values, got a list"),
    ],
)
def test_a_wrong_registry_is_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        istio(tmp_path, text, JFROG_PASSWORD=PASSWORD)
    shown = "\n".join((caught.value.what, *caught.value.details, caught.value.todo))
    assert said in shown
    assert PASSWORD not in shown
