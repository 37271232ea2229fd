"""istioctl's analysis within the verification: where it fails it is one check beside the others, not the run's end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from api_server import ApiServer, Reply
from observed import sidecar
from ran import INSTALL, RECORD, Ran
from sohistio.errors import ExitCode
from sohistio.model.desired import DesiredMesh
from sohistio.model.fault import Severity
from sohistio.model.versions import Version
from sohistio.plan.steps import VerifyMesh
from sohistio.run.go_back import calls_for_rollback
from sohistio.run.progress import RunResult

VERIFY = VerifyMesh("verify/mesh", "verify the mesh of 1.31.1", Version(1, 31, 1))
INJECTOR = "/api/v1/namespaces/istio-system/configmaps"
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
DISCOVERY = {"name": "discovery", "image": "docker.io/istio/pilot:1.31.1"}
ISTIOD = {
    "metadata": {"name": "istiod", "namespace": "istio-system", "uid": "1", "labels": {"app": "istiod"}},
    "spec": {"replicas": 1, "template": {"metadata": {}, "spec": {"containers": [DISCOVERY]}}},
    "status": {"replicas": 1, "readyReplicas": 1},
}
VALUES = '{"global": {"hub": "docker.io/istio", "tag": "1.31.1"}}'
FAILS = "echo starting >&2; echo Error: no such luck >&2; exit 1"


@pytest.fixture
def ran(tmp_path: Path) -> Iterator[Ran]:
    """On a mesh that is as it should be."""
    with ApiServer() as server:
        server.shows(deployments=[ISTIOD])
        server.answers(
            "GET",
            INJECTOR,
            Reply({"items": [{"metadata": {"name": "istio-sidecar-injector"}, "data": {"values": VALUES}}]}),
        )
        server.answers("POST", REVIEWS, Reply({"status": {"allowed": True}}, 201))
        server.answers("PATCH", RECORD, Reply({}))
        run = Ran(server, tmp_path)
        run.scripts["analyze"] = "echo '[]'"
        run.meshes = {Version(1, 31, 1): DesiredMesh(Version(1, 31, 1), "", (), (), sidecar())}
        yield run


def verdicts(result: RunResult) -> dict[str, bool]:
    """Whether each check breaks."""
    return {check.name: check.breaks for check in result.checks}


def test_one_that_answers(ran: Ran) -> None:
    result = ran.of(INSTALL, VERIFY)
    assert result.exit_code is ExitCode.OK
    assert verdicts(result) == {"istiod-version": False, "sidecars-current": False, "istioctl-analyze": False}


@pytest.mark.parametrize(
    ("script", "total", "why"),
    [
        pytest.param(FAILS, 60, "istioctl analyze failed (exit code 1): starting; Error: no such luck", id="fails"),
        pytest.param("exec sleep 60", 4, "the run took longer than its total timeout", id="takes-too-long"),
        pytest.param("echo nonsense", 60, "istioctl analyze answered something that is not", id="says-nonsense"),
    ],
)
def test_one_that_does_not_is_a_check_that_does_not_hold(ran: Ran, script: str, total: float, why: str) -> None:
    ran.scripts["analyze"] = script
    ran.total = total
    result = ran.of(INSTALL, VERIFY)
    assert result.exit_code is ExitCode.VERIFICATION_FAILED
    assert result.outcome == "verificationFailed"
    assert verdicts(result) == {"istiod-version": False, "sidecars-current": False, "istioctl-analyze": True}
    assert f"not known what it finds: {why}" in result.checks[-1].message
    assert not calls_for_rollback(result), "the version that was installed is not to blame"


def test_where_it_failed_before_the_run_as_well_it_is_a_warning(ran: Ran) -> None:
    ran.scripts["analyze"] = FAILS
    ran.findings_before = None
    result = ran.of(INSTALL, VERIFY)
    assert result.exit_code is ExitCode.OK
    assert result.checks[-1].severity is Severity.WARNING


def test_an_interrupt_meanwhile_is_an_interrupt(ran: Ran) -> None:
    ran.scripts["analyze"] = "sleep 2; exit 1"
    threading.Timer(1.0, ran.hold.stop.set).start()
    assert ran.of(VERIFY).exit_code is ExitCode.INTERRUPTED
