"""pipelines/azure-pipelines.yml, every script of it run for real: on fresh machines, against an AKS cluster.

What moves traffic needs two regions and is in test_moving_traffic.py.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from aks import USER, Aks
from azure_agent import Cloud, Job
from azure_runs import PIPELINES, Run, expanded, run, steps_of
from azure_server import PIPELINE_TOKEN
from azure_templates import scripts_of
from conftest import SUBSCRIPTION
from sohistio.adapters.kubernetes.api import KubeApi

pytestmark = pytest.mark.e2e

PASSWORD = "registry-pass-0815"
# Its registry cannot be asked from here; by hand like this, and so that a flag is there at all.
INSTALL = {"environment": "qa", "action": "install", "flags": "--skip-check images", "reason": "CHG-1: first install"}
BILLING = "/api/v1/namespaces/billing"
MOVES = {"Plan the move of traffic", "Move traffic", "Rehearse the failover to dr", "The standby is as the active side"}


@pytest.fixture(scope="module")
def environments(cloud: Aks, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As a user's repository has them. Azure knows the cluster of qa only: the others cannot be logged in to."""
    folder = tmp_path_factory.mktemp("repository") / "environments"
    shutil.copytree(cloud.environments, folder)
    known: dict[str, Any] = yaml.safe_load((folder / "qa" / "environment.yaml").read_text())
    known["istio"] = {"pullSecretSource": {"variables": {"username": "JFROG_USERNAME", "password": "JFROG_PASSWORD"}}}
    for name in ("dev", "int", "prod", "dr", "qa"):
        path = folder / name / "environment.yaml"
        document = yaml.safe_load(path.read_text()) if name != "qa" else known
        document["cluster"]["aks"]["cloud"] = known["cluster"]["aks"]["cloud"]
        path.write_text(yaml.safe_dump(document))
    return folder


@pytest.fixture
def agents(aks: Aks, environments: Path) -> Cloud:
    """The project in Azure DevOps: the service connections, and the variable group."""
    login = {key: value for key, value in aks.pipelines().items() if key not in ("SYSTEM_ACCESSTOKEN", "TF_BUILD")}
    secrets = {
        "System.AccessToken": PIPELINE_TOKEN,
        "JFROG_USERNAME": "mesh",
        "JFROG_PASSWORD": PASSWORD,
    }
    variables = {
        "SOHISTIO_IP_PREFIX": "10.20",
        "SOHISTIO_SUBSCRIPTION": SUBSCRIPTION,
        "SOHISTIO_ISTIO_MIRROR": aks.sandbox.mirror,
        "REQUESTS_CA_BUNDLE": str(aks.azure.authority_file),
        # istioctl is downloaded once, not once for each machine.
        "XDG_CACHE_HOME": aks.environ()["XDG_CACHE_HOME"],
    }
    return Cloud(login, secrets, variables, environments)


def label_billing(api: KubeApi, value: str | None) -> None:
    api.merge_patch(BILLING, {"metadata": {"labels": {"istio-injection": value}}})


def no_secret_is_in(done: Run, aks: Aks) -> None:
    texts = {str(path): path.read_bytes().decode("latin-1") for path in done.artifacts.rglob("*") if path.is_file()}
    for name, text in (texts | {"the log": done.said}).items():
        for secret in (*aks.azure.secrets(), PASSWORD):
            assert secret not in text, name
        assert "client.authentication.k8s.io" not in text, f"a kubeconfig is in {name}"


def typed_steps(typed: dict[str, str]) -> Iterator[dict[str, Any]]:
    """The steps that get what is typed, of all actions."""
    for action in ("install", "uninstall", "verify", "failover"):
        for stage in expanded(typed | {"action": action}):
            for job in stage["jobs"]:
                yield from (step for step in steps_of(job) if step.get("env", {}).get("FLAGS", "none") != "none")


@pytest.mark.usefixtures("empty_sandbox")
def test_an_environment_from_nothing_to_nothing(aks: Aks, agents: Cloud, tmp_path: Path) -> None:
    api, ran = aks.sandbox.api, set()
    api.create("/api/v1/namespaces", {"metadata": {"name": "billing", "labels": {"istio-injection": "enabled"}}})

    def somebody_changes_the_cluster(done: Run) -> None:
        """Before the install is approved, and back again: what was approved is refused, then as planned."""
        plan_machine = done.jobs["Plan"][0]
        label_billing(api, None)
        stale = install_on(plan_machine)
        label_billing(api, "enabled")
        assert (stale.code, "is stale: the plan is another one now" in stale.said) == (3, True), stale.said

    begun = time.monotonic()
    done = run(tmp_path / "install", agents, INSTALL, {"Install": somebody_changes_the_cluster})
    print(f"install: {time.monotonic() - begun:.1f} s")
    assert done.results.keys() == {"PreScreening", "NamespaceSetup", "Plan", "Install", "Verification"}
    assert "failed" not in done.results.values(), done.results
    ...
