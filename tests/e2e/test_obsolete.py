"""What the environment no longer has is listed first, needs a yes when an address goes with it, and is then gone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from sandboxes import CHECKOUT, Sandbox
from sohistio.adapters.kubernetes.paths import path_of
from sohistio.model.state import ObjectRef

pytestmark = pytest.mark.e2e

LOCAL = ("--env", "local")
EGRESS = "istio-egressgateway"
KINDS = ("Deployment", "Service", "HorizontalPodAutoscaler", "PodDisruptionBudget")
WITHOUT_EGRESS = """\
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
spec:
  components:
    egressGateways:
      - name: istio-egressgateway
        enabled: false
"""


def test_a_gateway_that_is_switched_off_goes_with_the_upgrade(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.with_mesh("1.30.5")
    folder = tmp_path / "environments"
    shutil.copytree(CHECKOUT / "environments", folder)
    (folder / "local" / "istiooperator.yaml").write_text(WITHOUT_EGRESS, encoding="utf-8")
    flags = (*LOCAL, "--environments", str(folder))

    planned = sandbox.run("plan", *flags, "--output", "json")
    plan = json.loads(planned.stdout)
    assert plan["mode"] == "upgrade"
    removed = {(item["kind"], item["name"]) for item in plan["changes"]["objects"] if item["action"] == "removed"}
    assert removed >= {(kind, EGRESS) for kind in KINDS}
    assert "obsolete/remove" in {step["id"] for phase in plan["phases"] for step in phase["steps"]}

    before = sandbox.writes()
    refused = sandbox.run("install", *flags)
    assert refused.returncode == 3
    assert f"this plan deletes Service {EGRESS}, and nobody approved it" in refused.stderr, "it is of type ClusterIP"
    assert sandbox.writes() == before

    done = sandbox.run("install", *flags, "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    for kind in KINDS:
        assert sandbox.api.get(path_of(ObjectRef(kind, "istio-system", EGRESS))) is None
    for kind in KINDS:
        assert sandbox.api.get(path_of(ObjectRef(kind, "istio-system", "istio-ingressgateway"))) is not None
    assert sandbox.run("plan", *flags, "--exit-code").returncode == 0
