"""sohistio login: a context for kubectl and istioctl that logs in by itself, in a kubeconfig that is kept as it was."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from aks import USER, Aks, mode_of
from sandboxes import Sandbox

pytestmark = pytest.mark.e2e

LOGIN = ("login", "--env", "qa")
OTHERS: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Config",
    "preferences": {"colors": True},
    "current-context": "mine",
    "clusters": [{"name": "mine", "cluster": {"server": "https://mine.example.com"}}],
    "users": [{"name": "mine", "user": {"token": "my-own-token"}}],
    "contexts": [{"name": "mine", "context": {"cluster": "mine", "user": "mine", "namespace": "shop"}}],
}


def logged_in(aks: Aks, path: Path, *flags: str) -> dict[str, Any]:
    done = aks.run(*LOGIN, *flags, KUBECONFIG=str(path))
    assert done.returncode == 0, done.stderr
    assert f"{path}: context aks-qa" in done.stdout
    document: dict[str, Any] = yaml.safe_load(path.read_text())
    return document


def named(document: dict[str, Any], kind: str) -> list[str]:
    return [item["name"] for item in document[kind]]


def test_kubectl_and_istioctl_log_in_by_themselves(aks: Aks, istioctl: Path, tmp_path: Path) -> None:
    path = tmp_path / "config"
    logged_in(aks, path)
    kubectl = shutil.which("kubectl")
    where = (f"--kubeconfig={path}", "--context=aks-qa")
    commands = [[str(istioctl), "analyze", "--all-namespaces", "--output=json", *where]]
    if kubectl is not None:  # it is no part of the sandbox
        commands.append([kubectl, "auth", "whoami", "--output=json", *where])
    for command in commands:
        given = aks.azure.tokens()
        done = subprocess.run(command, env=aks.environ(), capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr
        assert aks.azure.tokens() > given, "with a token of its own"
        if command[0] == kubectl:
            assert json.loads(done.stdout)["status"]["userInfo"]["username"] == USER
    token_in_vain = subprocess.run(
        commands[0],
        env=aks.environ(AZURE_CLIENT_SECRET="wr0ng"),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert token_in_vain.returncode != 0
    assert "AADSTS7000215" in token_in_vain.stderr, "our words come through"


def test_a_run_works_with_it_too(aks: Aks, tmp_path: Path) -> None:
    logged_in(aks, tmp_path / "config")
    done = aks.run("history", "--env", "qa", "--context", "aks-qa", KUBECONFIG=str(tmp_path / "config"))
    assert done.returncode == 0, done.stderr


def test_what_is_there_is_kept(aks: Aks, tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(yaml.safe_dump(OTHERS))
    path.chmod(0o644)
    document = logged_in(aks, path)
    assert named(document, "contexts") == ["mine", "aks-qa"]
    for kind in ("clusters", "users", "contexts"):
        assert document[kind][0] == OTHERS[kind][0]
    assert (document["current-context"], document["preferences"]) == ("mine", {"colors": True})
    (user,) = [item["user"] for item in document["users"] if item["name"].startswith("sohistio-aks-qa-")]
    assert Path(user["exec"]["command"]).is_absolute()
    assert user["exec"]["interactiveMode"] == "Never"
    assert mode_of(path) == 0o600
    before = path.read_text()
    again = aks.run(*LOGIN, KUBECONFIG=str(path))
    assert "led already" in again.stdout
    assert path.read_text() == before
    assert [item.name for item in tmp_path.iterdir()] == ["config"], "no lock, no half of a file is left"


def test_a_namespace_that_was_set_stays(aks: Aks, tmp_path: Path) -> None:
    path = tmp_path / "config"
    document = logged_in(aks, path)
    document["contexts"][0]["context"]["namespace"] = "shop"
    path.write_text(yaml.safe_dump(document))
    after = logged_in(aks, path, "--auth", "environment")
    assert after["contexts"][0]["context"]["namespace"] == "shop"
    assert "--auth=environment" in after["users"][0]["user"]["exec"]["args"]


def test_the_file_is_the_first_of_kubeconfig_or_the_home_one(aks: Aks, tmp_path: Path) -> None:
    first, second = tmp_path / "new" / "first", tmp_path / "second"
    second.write_text(yaml.safe_dump(OTHERS))
    done = aks.run(*LOGIN, KUBECONFIG=f"{first}:{second}")
    assert done.returncode == 0, done.stderr
    assert named(yaml.safe_load(first.read_text()), "contexts") == ["aks-qa"]
    assert mode_of(first) == 0o600
    assert yaml.safe_load(second.read_text()) == OTHERS
    done = aks.run(*LOGIN, HOME=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert named(yaml.safe_load((tmp_path / ".kube" / "config").read_text()), "contexts") == ["aks-qa"]


def test_a_link_stays_a_link(aks: Aks, tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "config"
    real.write_text(yaml.safe_dump(OTHERS))
    link.symlink_to(real)
    logged_in(aks, link)
    assert link.is_symlink()
    assert named(yaml.safe_load(real.read_text()), "contexts") == ["mine", "aks-qa"]


@pytest.mark.parametrize("other", ["server", "login"])
def test_a_context_of_somebody_else(aks: Aks, tmp_path: Path, other: str) -> None:
    path = tmp_path / "config"
    document = logged_in(aks, path)
    if other == "server":
        document["clusters"][0]["cluster"]["server"] = "https://other.example.com"
    else:
        document["users"][0]["user"] = {"token": "t"}
    path.write_text(yaml.safe_dump(document))
    before = path.read_text()
    done = aks.run(*LOGIN, KUBECONFIG=str(path))
    assert done.returncode == 3
    assert f"has a context 'aks-qa' already, with another {other}" in " ".join(done.stderr.split())
    assert path.read_text() == before
    assert logged_in(aks, path, "--overwrite")["clusters"][0]["cluster"]["server"].startswith("https://127.0.0.1:")


@pytest.mark.parametrize(
    ("text", "words"),
    [("- a list", "is no kubeconfig"), ("contexts: {a: b}", "is no kubeconfig"), ("a: [", "is no kubeconfig")],
)
def test_a_file_that_is_no_kubeconfig(aks: Aks, tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "config"
    path.write_text(text)
    done = aks.run(*LOGIN, KUBECONFIG=str(path))
    assert done.returncode == 2
    assert words in done.stderr
    assert path.read_text() == text


def test_a_lock_that_somebody_holds(aks: Aks, tmp_path: Path) -> None:
    path = tmp_path / "config"
    (tmp_path / "config.lock").touch()
    done = aks.run(*LOGIN, KUBECONFIG=str(path))
    assert done.returncode == 3
    assert "config.lock exists" in done.stderr
    assert not path.exists()


def test_a_sandbox_is_no_aks_cluster(sandbox: Sandbox) -> None:
    done = sandbox.run("login", "--env", "local")
    assert done.returncode == 2
    assert "local names no AKS cluster" in done.stderr
