"""Gateways that are scaled up: all at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from api_server import ApiServer, Reply
from ran import Ran
from sohistio.model.state import ObjectRef
from sohistio.plan.steps import ScaleUp

PATHS = tuple(f"/apis/apps/v1/namespaces/istio-system/deployments/{name}" for name in ("egress", "ingress"))


@pytest.fixture(autouse=True)
def state_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def test_one_that_cannot_be_scaled_keeps_no_other_from_it(tmp_path: Path) -> None:
    refs = tuple((ObjectRef("Deployment", "istio-system", path.rpartition("/")[2]), 3) for path in PATHS)
    with ApiServer() as server:
        server.answers("PATCH", PATHS[0], Reply({"message": "a quota"}, 403))
        server.answers("PATCH", PATHS[1], Reply({}))
        result = Ran(server, tmp_path).of(ScaleUp("gateways/scale-up", "scale", refs))
        patched = {asked.path for asked in server.asked if asked.method == "PATCH"}
    assert result.error is not None
    assert result.error.details == ("a quota",)
    assert patched >= set(PATHS)
