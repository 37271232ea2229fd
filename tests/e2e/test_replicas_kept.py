"""Replicas that an older manifest set and the new one leaves to the autoscaler stay as they are (istio#41481).

Whatever comes between: a run that replaces the mesh may be killed when the gateways have none of istioctl's labels.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from killing import killed_once, last_run
from sandboxes import CHECKOUT, Sandbox
from sohistio.adapters.kubernetes.lease import unlock
from sohistio.adapters.kubernetes.paths import path_of
from sohistio.model.state import ObjectRef

pytestmark = pytest.mark.e2e

LOCAL = ("--env", "local")
INGRESS = path_of(ObjectRef("Deployment", "istio-system", "istio-ingressgateway"))
FOUR_BY_HAND = """\
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
spec:
  components:
    ingressGateways:
      - name: istio-ingressgateway
        k8s:
          replicaCount: 4
  values:
    gateways:
      istio-ingressgateway:
        autoscaleEnabled: false
"""


def labels(sandbox: Sandbox) -> dict[str, str]:
    gateway = sandbox.api.get(INGRESS)
    assert gateway is not None
    found: dict[str, str] = gateway["metadata"]["labels"]
    return found


def killed_once_the_gateways_are_released(sandbox: Sandbox) -> None:
    """A replace, killed when istioctl's labels are off the gateways: the old control plane may be there or not."""

    def released() -> bool:
        run = last_run(sandbox)
        return run is not None and run.last_step == "old-control-plane/uninstall"

    killed, said = killed_once(sandbox, released, "install", *LOCAL, "--mode", "reinstall", "--yes")
    assert killed, said
    assert said.index("keep istio-ingressgateway at 4") < said.index("take istioctl's labels off the gateways")
    assert "operator.istio.io/component" not in labels(sandbox)
    unlock(sandbox.api, "killed by a test")


def test_an_upgrade_keeps_the_replicas_also_after_a_replace_that_was_killed(
    empty_sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox = empty_sandbox
    folder = tmp_path / "environments"
    shutil.copytree(CHECKOUT / "environments", folder)
    (folder / "local" / "istiooperator.yaml").write_text(FOUR_BY_HAND, encoding="utf-8")
    first = sandbox.run("install", *LOCAL, "--environments", str(folder), "--version", "1.30.5")
    assert first.returncode == 0, first.stdout + first.stderr

    killed_once_the_gateways_are_released(sandbox)
    planned = sandbox.run("plan", *LOCAL, "--output", "json")
    plan = json.loads(planned.stdout)
    steps = [step["id"] for phase in plan["phases"] for step in phase["steps"]]
    assert steps.index("control-plane/keep-replicas") < steps.index("control-plane/install")
    fields = [field["path"] for item in plan["changes"]["objects"] for field in item["fields"]]
    assert "spec.replicas" not in fields

    done = sandbox.run("install", *LOCAL)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "keep istio-ingressgateway at 4" in done.stdout
    gateway = sandbox.api.get(INGRESS)
    assert gateway is not None
    assert gateway["spec"]["replicas"] == 4
    assert labels(sandbox)["operator.istio.io/component"] == "IngressGateways"
    # The generation counts changes of the spec: the old manifest's, the hold, the upgrade's one, and its turn.
    assert gateway["metadata"]["generation"] == 4
    assert sandbox.run("plan", *LOCAL, "--exit-code").returncode == 0
