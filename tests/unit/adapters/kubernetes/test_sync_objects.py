"""What sync asks the API server, and what it makes of the answers; the stories have the real one."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api_server import ApiServer, Reply
from configured import configured, synced
from sohistio.adapters.kubernetes.api import KubeApi, KubeError
from sohistio.adapters.kubernetes.sync import apply_synced, prune_synced, read_certificate, try_objects
from sohistio.errors import FailedError
from sohistio.model.state import ObjectRef
from sohistio.plan.ownership import SYNC_MANAGER

GROUP = "/apis/networking.istio.io/v1"
WEB = f"{GROUP}/namespaces/shop/virtualservices/web"
REF = ObjectRef("VirtualService", "shop", "web")
SECRET = ObjectRef("Secret", "istio-system", "web-tls")
SECRET_PATH = "/api/v1/namespaces/istio-system/secrets/web-tls"
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
CONFLICT = Reply({"message": 'Apply failed with 1 conflict: conflict with "kubectl-edit": .spec.http'}, 409)


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with ApiServer() as running:
        kind = {"kind": "VirtualService", "name": "virtualservices", "namespaced": True}
        running.answers("GET", GROUP, Reply({"resources": [kind]}))
        yield running


@pytest.fixture
def api(server: ApiServer, tmp_path: Path) -> KubeApi:
    return server.api(tmp_path)


def document() -> dict[str, Any]:
    return configured(managedFields=None)


def test_an_apply_is_by_syncs_own_manager_and_never_forced(server: ApiServer, api: KubeApi) -> None:
    server.answers("PATCH", WEB, Reply(document()))
    assert apply_synced(api, document()) == ""
    assert try_objects(api, [document()]).applied == {REF: document()}
    queries = [asked.query for asked in server.asked if asked.method == "PATCH"]
    assert queries[0] == {"fieldManager": SYNC_MANAGER, "force": "false"}
    assert queries[1] == queries[0] | {"dryRun": "All"}


def test_an_apply_to_what_is_being_deleted_is_no_success(server: ApiServer, api: KubeApi) -> None:
    server.answers("PATCH", WEB, Reply(configured(deletionTimestamp="now", finalizers=["a/b"])))
    assert apply_synced(api, document()) == "VirtualService shop/web (held by a/b) is being deleted"


def test_a_conflict_that_came_since_the_plan_has_the_servers_words(server: ApiServer, api: KubeApi) -> None:
    server.answers("PATCH", WEB, CONFLICT)
    with pytest.raises(KubeError, match="409") as caught:
        apply_synced(api, document())
    assert "kubectl-edit" in caught.value.details[0]


@pytest.mark.parametrize(
    ("reply", "allowed", "expected"),
    [
        (CONFLICT, True, "conflict"),
        (Reply({"message": "denied by a webhook"}, 400), True, "denied"),
        (Reply({"message": "spec.hosts: Required"}, 422), True, "denied"),
        (Reply({"message": "denied by a policy"}, 403), True, "denied"),
        (Reply({"message": "forbidden"}, 403), False, "not asked"),
        (Reply({"message": "failed calling webhook"}, 500, {"Retry-After": "0"}), True, "failing"),
    ],
)
def test_what_a_dry_run_says(server: ApiServer, api: KubeApi, reply: Reply, allowed: bool, expected: str) -> None:
    server.answers("PATCH", WEB, reply)
    server.answers("POST", REVIEWS, Reply({"status": {"allowed": allowed}}))
    tried = try_objects(api, [document()])
    said = {"conflict": tried.conflicts, "denied": tried.denied, "not asked": tried.not_asked, "failing": tried.failing}
    assert [name for name, found in said.items() if found] == [expected]


def test_what_is_deleted_is_what_was_read(server: ApiServer, api: KubeApi) -> None:
    server.answers("GET", WEB, Reply(synced()))
    server.answers("DELETE", WEB, Reply({}))
    prune_synced(api, REF, WEB, "prod")
    (deletion,) = [asked for asked in server.asked if asked.method == "DELETE"]
    assert deletion.body["preconditions"] == {"uid": "u", "resourceVersion": "7"}


@pytest.mark.parametrize("found", [configured(), synced(source="qa")], ids=["without-the-label", "of-another-source"])
def test_what_is_not_syncs_own_is_not_deleted(server: ApiServer, api: KubeApi, found: dict[str, Any]) -> None:
    server.answers("GET", WEB, Reply(found))
    with pytest.raises(FailedError, match="no longer sync's own"):
        prune_synced(api, REF, WEB, "prod")
    assert not any(asked.method == "DELETE" for asked in server.asked)


def test_what_is_gone_needs_no_deletion(server: ApiServer, api: KubeApi) -> None:
    prune_synced(api, REF, WEB, "prod")
    server.answers("GET", WEB, Reply(synced()))
    server.answers("DELETE", WEB, Reply({"message": "not found"}, 404))
    prune_synced(api, REF, WEB, "prod")


@pytest.mark.parametrize(
    "data", [{}, {"tls.crt": ""}, {"tls.crt": base64.b64encode(b"no certificate").decode()}, {"password": "eA=="}, None]
)
def test_a_secret_without_a_certificate_has_none(server: ApiServer, api: KubeApi, data: dict[str, str] | None) -> None:
    assert read_certificate(api, SECRET) is None
    server.answers("GET", SECRET_PATH, Reply({"data": data}))
    assert read_certificate(api, SECRET) is None
