"""What the API server would deny of a manifest: in its words, and with the advice that fits the cause."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from api_server import ApiServer, Reply
from sohistio.adapters.kubernetes.compare import compare
from sohistio.adapters.kubernetes.live_objects import LiveObjects
from sohistio.errors import RefusedError

PATH = "/apis/policy/v1/namespaces/istio-system/poddisruptionbudgets/istiod"
INVALID = (
    'PodDisruptionBudget.policy "istiod" is invalid: spec: Invalid value: minAvailable and maxUnavailable cannot be '
    "both set"
)
WEBHOOK = 'admission webhook "x.example.com" denied the request: spec is invalid: no'
POLICY = "ValidatingAdmissionPolicy 'x' denied request: it is invalid: no"
QUOTA = 'poddisruptionbudgets "istiod" is forbidden: exceeded quota: nothing'
UNDO = "What the manifest sets in PodDisruptionBudget istio-system/istiod is not valid together with what somebody has"
FIX = "Each line is the server's (a quota, an admission policy, missing rights): fix them first."


def budget(**spec: Any) -> dict[str, Any]:
    metadata = {"name": "istiod", "namespace": "istio-system"}
    return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": metadata, "spec": spec}


def denied(folder: Path, status: int, message: str, live: dict[str, Any] | None) -> RefusedError:
    kind = {"name": "poddisruptionbudgets", "kind": "PodDisruptionBudget", "namespaced": True}
    with ApiServer() as server:
        server.answers("GET", "/apis/policy/v1", Reply({"resources": [kind]}))
        server.answers("GET", PATH, Reply(live) if live else Reply({"message": "not found"}, 404))
        server.answers("GET", PATH.rpartition("/")[0], Reply({"items": []}))
        server.answers("PATCH", PATH, Reply({"message": message}, status))
        server.answers(
            "POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", Reply({"status": {"allowed": True}})
        )
        api = server.api(folder)
        with pytest.raises(RefusedError) as raised:
            compare(api, [budget(minAvailable=2)], LiveObjects(api, [live] if live else []))
    return raised.value


@pytest.mark.parametrize(
    ("status", "message", "is_there", "todo"),
    [
        pytest.param(422, INVALID, True, UNDO, id="an-edit"),
        pytest.param(422, INVALID, False, FIX, id="a-new-object"),
        pytest.param(422, WEBHOOK, True, FIX, id="a-webhook"),
        pytest.param(422, POLICY, True, FIX, id="a-policy"),
        pytest.param(403, QUOTA, True, FIX, id="a-quota"),
    ],
)
def test_what_to_do_about_it(status: int, message: str, is_there: bool, todo: str, tmp_path: Path) -> None:
    error = denied(tmp_path, status, message, budget(maxUnavailable=1) if is_there else None)
    assert error.what == "the API server would deny 1 object of the manifest"
    assert error.details == (f"PodDisruptionBudget istio-system/istiod: {message}",)
    assert error.todo.startswith(todo)
    assert ("a quota" in error.todo) is (todo is FIX)
