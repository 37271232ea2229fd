"""`make acceptance-aks`, all of it, with the environment of docs/acceptance.md on the sandbox as an AKS cluster."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from accepted import accepted
from aks import USER, Aks
from azure_server import INGRESS_ADDRESS
from sandboxes import CHECKOUT

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
    # A sandbox's load balancers know at once.
    declare(tmp_path, document | {"ingressAddress": INGRESS_ADDRESS, "gateways": {"loadBalancerDelay": "0s"}})
    (tmp_path / "base").symlink_to(aks.environments / "base")
    return tmp_path


def declare(folder: Path, document: dict[str, Any]) -> None:
    (folder / "acceptance").mkdir(exist_ok=True)
    (folder / "acceptance" / "environment.yaml").write_text(yaml.safe_dump(document))


@pytest.mark.usefixtures("empty_sandbox")
def test_what_it_refuses_what_it_reports_and_all_of_it(aks: Aks, environments: Path) -> None:
    """That it leaves a cluster with a mesh alone is in test_pipeline.py, which has one."""
    before = aks.sandbox.writes(USER)
    path = environments / "acceptance" / "environment.yaml"
    usual = yaml.safe_load(path.read_text())
    unconfirmed = accepted(aks, environments, CONFIRM="qa")
    assert (unconfirmed.returncode, "repeat its name" in unconfirmed.stderr) == (3, True)
    for other, words in (({"protected": True}, "is protected"), ({"applicationNamespaces": []}, "has no application")):
        declare(environments, usual | other)
        refused = accepted(aks, environments)
        assert (refused.returncode, words in refused.stderr) == (3, True), refused.stderr
    declare(environments, usual)
    failed = accepted(aks, environments, PREVIOUS="1.28.0", REPORT="failed.md")
    report = (environments / "failed.md").read_text()
    assert (failed.returncode, "It failed at: Preflight checks." in report) == (1, True), report
    assert aks.sandbox.writes(USER) == before

    done = accepted(aks, environments)
    assert done.returncode == 0, done.stdout + done.stderr
    report = (environments / "acceptance-report.md").read_text()
    assert "# Acceptance of sohistio on acceptance: passed" in report
    assert re.search(r"\| Install Istio 1\.30\.5 \| `sohistio install .*` \| ok \| \d+ \|", report)
    assert "| Upgrade to Istio 1.31.1 |" in report
    assert report.count("| ok |") == report.count("\n| ") - 1, "every row but the head"
    assert aks.sandbox.api.get("/api/v1/namespaces/istio-system") is None
