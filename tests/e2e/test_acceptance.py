"""`make acceptance-aks`, all of it, with the environment of docs/acceptance.md on the sandbox as an AKS cluster."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from aks import PRINCIPAL, USER, Aks
from azure_server import INGRESS_ADDRESS
from conftest import CHECKOUT

pytestmark = pytest.mark.e2e


@pytest.fixture
def environments(aks: Aks, tmp_path: Path) -> Path:
    """As the page says, but for what a user has of their own: the cluster's name, Azure's address, an IP address."""
    (text,) = re.findall(r"```yaml\n(.*?)```", (CHECKOUT / "docs" / "acceptance.md").read_text(), re.DOTALL)
    document: dict[str, Any] = yaml.safe_load(text)
    qa = yaml.safe_load((aks.environments / "qa" / "environment.yaml").read_text())
    document["cluster"]["aks"] = qa["cluster"]["aks"]
    # Nothing can be asked there, and that at once.
    document["istio"]["hub"] = "127.0.0.1:9/istio"
    declare(tmp_path, document | {"ingressAddress": INGRESS_ADDRESS})
    (tmp_path / "base").symlink_to(aks.environments / "base")
    return tmp_path


def declare(folder: Path, document: dict[str, Any]) -> None:
    (folder / "acceptance").mkdir(exist_ok=True)
    (folder / "acceptance" / "environment.yaml").write_text(yaml.safe_dump(document))


def accepted(aks: Aks, environments: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    own = {"ENVIRONMENT": "acceptance", "CONFIRM": "acceptance", "SOHISTIO_ENVIRONMENTS": str(environments)}
    return subprocess.run(
        [sys.executable, CHECKOUT / "demo" / "acceptance.py"],
        cwd=environments,
        env=aks.environ(PRINCIPAL, **(own | variables)),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


@pytest.mark.usefixtures("empty_sandbox")
def test_all_of_it_and_what_it_refuses(aks: Aks, environments: Path) -> None:
    before = aks.sandbox.writes(USER)
    unconfirmed = accepted(aks, environments, CONFIRM="qa")
    assert (unconfirmed.returncode, "repeat its name" in unconfirmed.stderr) == (3, True)
    path = environments / "acceptance" / "environment.yaml"
    usual = yaml.safe_load(path.read_text())
    declare(environments, usual | {"protected": True})
    protected = accepted(aks, environments)
    assert (protected.returncode, "is protected" in protected.stderr) == (3, True)
    declare(environments, usual)
    assert aks.sandbox.writes(USER) == before

    done = accepted(aks, environments)
    assert done.returncode == 0, done.stdout + done.stderr
    report = (environments / "acceptance-report.md").read_text()
    assert "# Acceptance of sohistio on acceptance: passed" in report
    assert re.search(r"\| Install Istio 1\.30\.5 \| `sohistio install .*` \| ok \| \d+ \|", report)
    assert "| Upgrade to Istio 1.31.1 |" in report
    assert report.count("| ok |") == report.count("\n| ") - 1, "every row but the head"
    assert aks.sandbox.api.get("/api/v1/namespaces/istio-system") is None


@pytest.mark.usefixtures("empty_sandbox")
def test_a_step_that_fails_is_reported_and_a_mesh_is_left_alone(aks: Aks, environments: Path) -> None:
    failed = accepted(aks, environments, PREVIOUS="1.30.99", REPORT="other.md")
    assert failed.returncode == 1, failed.stdout + failed.stderr
    report = (environments / "other.md").read_text()
    assert "passed" not in report
    assert "It failed at: " in report
    installed = aks.run("install", "--env", "acceptance", "--yes", SOHISTIO_ENVIRONMENTS=str(environments))
    assert installed.returncode == 0, installed.stderr
    before = aks.sandbox.writes(USER)
    refused = accepted(aks, environments)
    assert (refused.returncode, "has a mesh" in refused.stderr) == (3, True)
    assert aks.sandbox.writes(USER) == before
