"""pipelines/azure-pipelines.yml, every script of it run for real: on fresh machines, against an AKS cluster.

What moves traffic needs two regions and is in test_moving_traffic.py.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from accepted import accepted
from aks import USER, Aks, pipeline_login
from azure_agent import FAILED, ISSUES, SKIPPED, SUCCEEDED, Cloud
from azure_runs import MOVES, Run, again, not_executed, run, titled
from azure_server import PIPELINE_TOKEN
from killing import last_run
from sandboxes import SUBSCRIPTION
from sohistio.adapters.kubernetes.api import KubeApi

pytestmark = pytest.mark.e2e

PASSWORD = "registry-pass-0815"
# Its registry cannot be asked from here; by hand like this, and so that a flag is there at all.
INSTALL = {"environment": "qa", "action": "install", "flags": "--skip-check images", "reason": "CHG-1: first install"}
HPA = "/apis/autoscaling/v2/namespaces/istio-system/horizontalpodautoscalers/istiod"
BILLING = "/api/v1/namespaces/billing"


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
    return Cloud(pipeline_login(aks.azure), secrets, variables, environments)


def label_billing(api: KubeApi, value: str | None) -> None:
    api.merge_patch(BILLING, {"metadata": {"labels": {"istio-injection": value}}})


def no_secret_is_in(done: Run, aks: Aks) -> None:
    texts = {str(path): path.read_bytes().decode("latin-1") for path in done.artifacts.rglob("*") if path.is_file()}
    for name, text in (texts | {"the log": done.said}).items():
        for secret in (*aks.azure.secrets(), PASSWORD):
            assert secret not in text, name
        assert "client.authentication.k8s.io" not in text, f"a kubeconfig is in {name}"


@pytest.mark.usefixtures("empty_sandbox")
def test_an_environment_from_nothing_to_nothing(aks: Aks, agents: Cloud, tmp_path: Path) -> None:
    api = aks.sandbox.api
    api.create("/api/v1/namespaces", {"metadata": {"name": "billing", "labels": {"istio-injection": "enabled"}}})

    def somebody_changes_the_cluster(done: Run) -> None:
        """While the approval is waited for; what was approved is refused then. And back again, and planned anew."""
        (machine,) = done.jobs["Plan"]
        label_billing(api, None)
        machine.variables["approvedPlan"] = machine.outputs["Plan.plan.artifact"]
        machine.step(titled(INSTALL, "Download the approved plan"))
        stale = again(machine, titled(INSTALL, "Install as approved"))
        label_billing(api, "enabled")
        assert (stale.code, "is stale: the plan is another one now" in stale.said) == (3, True), stale.said
        machine.variables["System.StageAttempt"] = "2"
        again(machine, titled(INSTALL, "Plan the install"))
        machine.step(titled(INSTALL, "Publish the plan"))

    installed = run(tmp_path / "install", agents, INSTALL, {"Install": somebody_changes_the_cluster})
    results = installed.results
    assert results.pop("NeverInstalled") == SKIPPED
    assert set(results.values()) <= {SUCCEEDED, ISSUES}, installed.failures
    assert installed.outputs["Plan"]["Plan.plan.changed"] == "true"
    assert [path.name for path in sorted(installed.artifacts.iterdir())] == [
        "install-backup-and-logs-1",
        "namespace-setup-logs-1",
        "plan-1",
        "plan-2",
    ]
    assert (installed.jobs["Install"][0].machine / "workspace" / "plan-2").is_dir()
    assert "pull-secret" in installed.jobs["PreScreening"][0].tests, "what was checked is in the tab Tests"
    assert "namespace-labels" in installed.jobs["NamespaceSetup"][0].tests
    assert "istiod-version" in installed.jobs["Verification"][0].tests
    no_secret_is_in(installed, aks)
    recorded = last_run(aks.sandbox)
    assert recorded is not None
    assert (recorded.outcome, recorded.who, recorded.reason) == ("done", "Ada Lovelace", INSTALL["reason"])

    before = aks.sandbox.writes(USER)
    begun = time.monotonic()
    night = run(tmp_path / "night", agents, {}, only={"dev", "qa", "overview"}, Build__Reason="Schedule")
    print(f"the night of two environments and the page: {time.monotonic() - begun:.1f} s")
    assert aks.sandbox.writes(USER) == before, "a night in sync writes nothing"
    unreachable, looked_at, overview = night.jobs["Nightly"]
    assert overview.result == FAILED, "what could not be read is an error"
    page = (night.artifacts / "overview-1" / "index.html").read_text()
    assert all(name in page for name in ("aks-dev", "aks-qa", "in sync"))
    assert [step.title for step in unreachable.steps if step.code] == ["Log in"], "and no step after it is tried"
    assert unreachable.steps[-1].title == "Log in"
    print(f"of it qa's own steps: {looked_at.own_seconds:.1f} s")
    assert (looked_at.name, looked_at.result) == ("qa", ISSUES), night.failures
    assert "changes are pending" not in night.said
    no_secret_is_in(night, aks)

    acceptance = accepted(aks, agents.environments, "qa")
    assert (acceptance.returncode, "The cluster of qa has a mesh." in acceptance.stderr) == (3, True)
    assert aks.sandbox.writes(USER) == before

    (planner,) = installed.jobs["Plan"]
    again(planner, titled(INSTALL, "Plan the install"))
    assert planner.outputs["Plan.plan.changed"] == "false", "the stage Install is skipped then"
    never = again(planner, titled(INSTALL, "Planned, never installed"))
    assert (never.code, "planned, never installed" in never.said) == (1, True)
    planner.variables.pop("xdg_state_home")
    assert again(planner, titled(INSTALL, "Collect backups and logs")).code == 0, "also without the tools"

    api.merge_patch(HPA, {"spec": {"maxReplicas": 7}})
    drift = again(looked_at, titled({}, "Drift", job_name="qa", Build__Reason="Schedule"))
    assert (drift.code, drift.result) == (0, ISSUES), drift.said
    assert "qa is not as its files say: changes are pending" in drift.said

    # An uninstall, on a machine that has its tools. Its stages are those of an install.
    before, uninstall = aks.sandbox.writes(USER), INSTALL | {"action": "uninstall"}
    shown = [again(looked_at, titled(uninstall, title)) for title in ("What is there", "Plan the uninstall")]
    assert aks.sandbox.writes(USER) == before
    removed = [again(looked_at, titled(uninstall, title)) for title in ("Uninstall", "No mesh is left")]
    assert [step.code for step in (*shown, *removed)] == [0, 0, 0, 0], "".join(step.said for step in removed)

    assert not_executed([*installed.steps, *night.steps, never, *shown, *removed]) == MOVES


# The steps that get what is typed, by an action that has them.
WITH_TYPED = {
    "Verify": "verify",
    "Validate the environments' files": "failback",
    "Preflight checks": "install",
    "Plan the install": "install",
    "Install as approved": "install",
    "Plan the uninstall": "uninstall",
    "Uninstall": "uninstall",
    "Plan the move of traffic": "failover",
    "Move traffic": "failover",
}
HOSTILE = ('"; touch {} #', "$(touch {})", "`touch {}`", "x; touch {}", "$(System.AccessToken)", "* {}", "--nonsense")
# Another target than the one whose approvals were asked, or a step that is green and does nothing.
ELSEWHERE = ("--env local", "--to=prod", "--context x", "--plan", "--help", "--skip-check x\n--env local")


def test_what_is_typed_is_never_a_command(aks: Aks, agents: Cloud, tmp_path: Path) -> None:
    """Hostile texts as parameters, and each step that is given them: wrong usage, and nothing else happens."""
    before = aks.sandbox.writes(USER)
    verify = {"environment": "qa", "action": "verify"}
    verified = run(tmp_path / "run", agents, verify | {"version": "1.2.3; id"})
    (machine,) = verified.jobs["Verification"]
    assert [(step.title, step.code) for step in verified.steps if step.code] == [("Verify", 2)]
    touched = tmp_path / "touched"
    every_text = [("Preflight checks", name, text) for text in HOSTILE for name in ("version", "flags")]
    every_step = [(title, "flags", text) for title in WITH_TYPED for text in (HOSTILE[0], *ELSEWHERE)]
    for title, name, text in (*every_text, *every_step):
        typed = {"environment": "qa", "action": WITH_TYPED[title], name: text.format(touched)}
        tried = again(machine, titled(typed, title))
        assert tried.code == 2, f"{title}, {name}={text}: {tried.code}\n{tried.said}"
        assert "Traceback" not in tried.said
        assert PIPELINE_TOKEN not in tried.said
        assert not touched.exists()
    assert aks.sandbox.writes(USER) == before
