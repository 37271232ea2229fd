"""Nothing is written to a cluster that is not the one the environment means: exit 3, naming both."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from aks import Aks, properties
from azure_server import Answer, arm_error
from sandboxes import SUBSCRIPTION, Sandbox
from sohistio.adapters.kubernetes.api import KubeApi
from sohistio.adapters.kubernetes.record_store import RECORD_REF, write_record
from sohistio.model.record import Record

pytestmark = pytest.mark.e2e

WRITING = [
    ("plan",),
    ("install", "--yes"),
    ("rollback", "--yes"),
    ("adopt", "--yes"),
    ("restart", "--yes"),
    ("uninstall", "--yes"),
    ("restore", "--backup", ".", "--yes"),
    ("unlock", "--reason", "a test"),
]
POOL = {"name": "apps", "count": 3, "vmSize": "Standard_D8s_v3", "mode": "User"}
ELSEWHERE = "aks-qa-0815.hcp.eastus.azmk8s.io"


def recorded_as(api: KubeApi, environment: str) -> None:
    """A record as a run of the environment would have left it."""
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "istio-system"}}
    if api.get("/api/v1/namespaces/istio-system") is None:
        api.create("/api/v1/namespaces", namespace)
    api.delete(f"/api/v1/namespaces/istio-system/configmaps/{RECORD_REF.name}")
    write_record(api, Record(environment))


@pytest.mark.parametrize("command", WRITING, ids=lambda command: str(command[0]))
def test_a_cluster_recorded_as_another_environment(aks: Aks, command: tuple[str, ...]) -> None:
    recorded_as(aks.sandbox.api, "prod")
    said = aks.refused(command[0], "--env", "qa", *command[1:])
    assert "the environment is qa, but this cluster is recorded as prod" in said


def test_looking_is_not_refused(aks: Aks) -> None:
    recorded_as(aks.sandbox.api, "prod")
    done = aks.run("history", "--env", "qa")
    assert done.returncode == 0, done.stderr
    assert "this cluster is recorded as prod, not as qa" in done.stderr
    told = aks.run("status", "--env", "qa")
    assert told.returncode == 1
    assert "recorded as prod" in " ".join(told.stdout.split())
    assert aks.run("verify", "--env", "qa").returncode != 3


@pytest.mark.parametrize(
    ("environment", "recorded", "refused"),
    [("qa", "prod", True), ("qa", "local", False), ("local", "prod", False), ("qa", "qa", False)],
)
def test_environments_tried_on_a_sandbox(aks: Aks, environment: str, recorded: str, refused: bool) -> None:
    """One of the two must be the sandbox's own: qa does not go onto what is recorded as prod, even there."""
    recorded_as(aks.sandbox.api, recorded)
    box = aks.sandbox
    done = box.run("plan", "--env", environment, "--context", box.context)
    assert done.returncode == (3 if refused else 0), done.stderr
    assert ("recorded as prod" in done.stderr) is refused


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"serviceMeshProfile": {"mode": "Istio"}}, "aks-qa has the managed Istio add-on"),
        ({"provisioningState": "Upgrading"}, "aks-qa is being changed by Azure: Upgrading"),
        ({"provisioningState": "Deleting"}, "aks-qa is being changed by Azure: Deleting"),
        ({"powerState": {"code": "Stopped"}}, "aks-qa is stopped"),
        (
            {"agentPoolProfiles": [POOL | {"provisioningState": "Upgrading"}]},
            "node pool apps of the AKS cluster aks-qa is",
        ),
    ],
    ids=["add-on", "upgrading", "deleting", "stopped", "pool"],
)
@pytest.mark.parametrize("command", [("plan",), ("install", "--yes")], ids=["plan", "install"])
def test_a_cluster_in_no_state_to_be_worked_on(
    aks: Aks, command: tuple[str, ...], changed: dict[str, object], words: str
) -> None:
    recorded_as(aks.sandbox.api, "qa")
    aks.azure.properties = properties(**changed)
    assert words in aks.refused(command[0], "--env", "qa", *command[1:])


def test_a_stopped_cluster_is_judged_without_its_api_server(aks: Aks) -> None:
    aks.azure.properties = properties(powerState={"code": "Stopped"}, serviceMeshProfile={"mode": "Istio"})
    done = aks.run("check", "--env", "qa", "--output", "json")
    assert done.returncode != 0, done.stderr
    found = {one["name"]: one for one in json.loads(done.stdout)["checks"]}
    assert found["cluster-running"]["message"] == "the AKS cluster aks-qa is stopped"
    assert "aks-qa has the managed Istio add-on" in found["managed-add-on"]["message"]


def checked(aks: Aks, *flags: str) -> dict[str, tuple[str, str]]:
    """By check: how it ended and what it says."""
    done = aks.run("check", "--env", "qa", "--output", "json", *flags)
    return {one["name"]: (one["result"], one["message"]) for one in json.loads(done.stdout)["checks"]}


@pytest.mark.usefixtures("empty_sandbox")
def test_what_check_says_of_a_cluster_that_is_right_and_of_one_that_is_not(aks: Aks) -> None:
    recorded_as(aks.sandbox.api, "qa")
    aks.azure.properties = properties(agentPoolProfiles=[POOL | {"count": 5, "minCount": 5, "maxCount": 10}])
    good = checked(aks)
    for name in ("cluster-identity", "cluster-running", "managed-add-on", "cluster-environment", "gateway-address"):
        assert good[name][0] == "passed", good[name]

    recorded_as(aks.sandbox.api, "prod")
    aks.azure.properties = properties(
        provisioningState="Upgrading",
        serviceMeshProfile={"mode": "Istio"},
        ingressProfile={"webAppRouting": {"gatewayAPIImplementations": {"appRoutingIstio": {"mode": "Enabled"}}}},
        nodeProvisioningProfile={"mode": "Auto"},
    )
    aks.azure.free_addresses = set()
    bad = checked(aks)
    assert bad["cluster-running"] == ("failed", "the AKS cluster aks-qa is being changed by Azure: Upgrading")
    assert "has the managed Istio add-on" in bad["managed-add-on"][1]
    assert bad["cluster-environment"][0] == "failed"
    assert "is on (Azure's ingress profile); it is not the mesh add-on" in bad["application-routing"][1]
    assert bad["gateway-address"][1].endswith("something in the virtual network has it, outside this cluster")

    aks.azure.properties = properties(fqdn=ELSEWHERE, privateFQDN=f"private.{ELSEWHERE}")
    wrong = checked(aks, "--context", aks.sandbox.context, "--kubeconfig", str(aks.sandbox.kubeconfig))
    assert wrong["cluster-identity"][0] == "failed"


def test_a_failed_provisioning_is_told_only(aks: Aks) -> None:
    recorded_as(aks.sandbox.api, "qa")
    aks.azure.properties = properties(provisioningState="Failed", serviceMeshProfile={"mode": "Disabled"})
    done = aks.run("plan", "--env", "qa")
    assert done.returncode == 0, done.stderr
    assert "note: Azure calls the AKS cluster aks-qa Failed" in done.stderr


@pytest.mark.usefixtures("empty_sandbox")
def test_an_upgrade_that_began_before_the_lock_was_had(aks: Aks) -> None:
    """Azure is asked once more under the lock: the first answer was a healthy cluster."""
    path = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-aks-qa/providers/x/managedClusters/aks-qa"
    aks.azure.instead["cluster"] = [Answer(200, {"id": path, "name": "aks-qa", "properties": properties()})]
    aks.azure.properties = properties(provisioningState="Upgrading")
    done = aks.run("install", "--env", "qa", "--yes", "--skip-check", "gateway-address")
    assert done.returncode == 3, done.stderr
    assert "aks-qa is being changed by Azure: Upgrading" in done.stderr
    assert aks.sandbox.api.get("/apis/apps/v1/namespaces/istio-system/deployments/istiod") is None
    assert aks.sandbox.api.get(f"/api/v1/namespaces/istio-system/configmaps/{RECORD_REF.name}") is None


def test_all_that_is_wrong_at_once(aks: Aks) -> None:
    recorded_as(aks.sandbox.api, "prod")
    aks.azure.properties = properties(serviceMeshProfile={"mode": "Istio"}, provisioningState="Upgrading")
    said = aks.refused("install", "--env", "qa", "--yes")
    for words in ("add-on", "Upgrading", "recorded as prod"):
        assert words in said


# --- a kubeconfig given by hand


def by_hand(aks: Aks, *, context: str) -> tuple[str, ...]:
    """A kubeconfig with a login of its own, as a person has it."""
    path = aks.folder / "by-hand"
    document = yaml.safe_load(aks.sandbox.kubeconfig.read_text())
    document["contexts"][0]["name"] = context
    path.write_text(yaml.safe_dump(document))
    path.chmod(0o600)
    return ("--env", "qa", "--kubeconfig", str(path))


def test_a_kubeconfig_that_leads_to_the_cluster(aks: Aks) -> None:
    recorded_as(aks.sandbox.api, "qa")
    done = aks.run("plan", *by_hand(aks, context="aks-qa"))
    assert done.returncode == 0, done.stderr
    done = aks.run("plan", *by_hand(aks, context="mine"), "--context", "mine")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", WRITING, ids=lambda command: str(command[0]))
def test_a_kubeconfig_that_leads_elsewhere(aks: Aks, command: tuple[str, ...]) -> None:
    recorded_as(aks.sandbox.api, "qa")
    aks.azure.properties = properties(fqdn=ELSEWHERE, privateFQDN=f"private.{ELSEWHERE}")
    before = aks.sandbox.writes()
    where = by_hand(aks, context="aks-qa")
    said = aks.refused(command[0], *where, *command[1:])
    assert aks.sandbox.writes() == before
    said = " ".join(said.split())
    assert "the kubeconfig leads to https://127.0.0.1:" in said
    assert f"the AKS cluster aks-qa is {ELSEWHERE} or private.{ELSEWHERE}" in said


def test_a_cluster_that_cannot_be_confirmed(aks: Aks) -> None:
    recorded_as(aks.sandbox.api, "qa")
    where = by_hand(aks, context="aks-qa")
    aks.azure.instead["cluster"] = [arm_error(403, "AuthorizationFailed", "no")] * 9
    said = aks.refused("install", *where, "--yes")
    assert "it cannot be confirmed that https://127.0.0.1:" in said
    assert "is the AKS cluster of qa" in said
    assert "--skip-check cluster-identity" in said
    for command in (("plan",), ("restart", "--yes")):
        done = aks.run(command[0], *where, *command[1:], "--skip-check", "cluster-identity")
        assert "not confirmed that this is the right cluster" in done.stderr
        assert "it cannot be confirmed" not in done.stderr


def test_nothing_else_can_be_skipped(aks: Aks) -> None:
    for command in (("install",), ("restart", "--yes")):
        done = aks.run(command[0], "--env", "qa", *command[1:], "--skip-check", "cluster-environment")
        assert done.returncode == 2
        assert "--skip-check 'cluster-environment' cannot be skipped" in done.stderr


def test_a_sandbox_needs_no_azure(sandbox: Sandbox, aks: Aks, tmp_path: Path) -> None:
    recorded_as(sandbox.api, "qa")
    done = sandbox.run("plan", "--env", "qa", "--context", sandbox.context, cwd=tmp_path.parent)
    assert done.returncode == 0, done.stderr
    assert not aks.azure.asked


def test_the_subscription_is_a_variable(aks: Aks) -> None:
    done = aks.run("plan", "--env", "qa", SOHISTIO_SUBSCRIPTION="")
    assert done.returncode == 2
    assert "cluster.aks.subscription: the variable SOHISTIO_SUBSCRIPTION is not set" in done.stderr
    assert aks.run("history", "--env", "qa").returncode == 0
    assert any(SUBSCRIPTION in path for _, path in aks.azure.asked)
