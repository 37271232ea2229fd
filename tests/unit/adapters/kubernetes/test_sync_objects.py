"""What sync asks the API server, and what it makes of the answers; the stories have the real one."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest

from api_server import ApiServer, Reply
from configured import configured, synced
from sohistio.adapters.kubernetes.api import KubeApi, KubeError
from sohistio.adapters.kubernetes.certificates import read_certificate
from sohistio.adapters.kubernetes.prune import prune_synced
from sohistio.adapters.kubernetes.sync import apply_synced, try_objects
from sohistio.errors import FailedError
from sohistio.model.state import ObjectRef
from sohistio.plan.ownership import SYNC_MANAGER

GROUP = "/apis/networking.istio.io/v1"
WEB = f"{GROUP}/namespaces/shop/virtualservices/web"
REF = ObjectRef("VirtualService", "shop", "web")
SECRET = ObjectRef("Secret", "istio-system", "web-tls")
SECRET_PATH = "/api/v1/namespaces/istio-system/secrets/web-tls"
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
UNDECLARED = "failed to create typed patch object (shop/web; …): .spec.exportTo: field not declared in schema"
CONFLICT = Reply({"message": 'Apply failed with 1 conflict: conflict with "kubectl-edit": .spec.http'}, 409)


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with ApiServer() as running:
        kind = {"kind": "VirtualService", "name": "virtualservices", "namespaced": True}
        running.answers("GET", GROUP, Reply({"resources": [kind]}))
        yield running


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
    with pytest.raises(FailedError, match=r"^VirtualService shop/web could not be applied$") as caught:
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
        (Reply({"message": UNDECLARED}, 500, {"Retry-After": "0"}), True, "undeclared"),
    ],
)
def test_what_a_dry_run_says(server: ApiServer, api: KubeApi, reply: Reply, allowed: bool, expected: str) -> None:
    server.answers("PATCH", WEB, reply)
    server.answers("POST", REVIEWS, Reply({"status": {"allowed": allowed}}))
    tried = try_objects(api, [document()])
    said = {"conflict": tried.conflicts, "denied": tried.denied, "not asked": tried.not_asked, "failing": tried.failing}
    said["undeclared"] = tried.undeclared
    assert [name for name, found in said.items() if found] == [expected]


def test_what_is_deleted_is_what_was_read(server: ApiServer, api: KubeApi) -> None:
    server.answers("GET", WEB, Reply(synced()))
    server.answers("DELETE", WEB, Reply({}))
    assert not prune_synced(api, REF, WEB, "prod")
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


CHANGED = Reply({"message": "the ResourceVersion in the precondition (7) does not match"}, 409)


def test_a_status_written_meanwhile_is_no_obstacle(server: ApiServer, api: KubeApi) -> None:
    newer = synced(resourceVersion="8", annotations={"gateway.istio.io/controller-version": "5"}) | {"status": {"x": 1}}
    server.answers("GET", WEB, Reply(synced()), Reply(newer))
    server.answers("DELETE", WEB, CHANGED, Reply({}))
    prune_synced(api, REF, WEB, "prod")
    deletions = [asked.body["preconditions"]["resourceVersion"] for asked in server.asked if asked.method == "DELETE"]
    assert deletions == ["7", "8"]


@pytest.mark.parametrize("newer", [synced(spec={}), synced(uid="another")], ids=["a-spec", "another-object"])
def test_what_somebody_changed_meanwhile_is_not_deleted(server: ApiServer, api: KubeApi, newer: dict[str, Any]) -> None:
    server.answers("GET", WEB, Reply(synced()), Reply(newer))
    server.answers("DELETE", WEB, CHANGED, Reply({}))
    with pytest.raises(FailedError, match=r"^VirtualService shop/web was changed meanwhile"):
        prune_synced(api, REF, WEB, "prod")


def test_a_version_that_never_holds_ends_with_the_servers_words(server: ApiServer, api: KubeApi) -> None:
    server.answers("GET", WEB, Reply(synced()))
    server.answers("DELETE", WEB, CHANGED)
    with pytest.raises(FailedError, match=r"^VirtualService shop/web could not be deleted$") as caught:
        prune_synced(api, REF, WEB, "prod")
    assert "does not match" in caught.value.details[0]


@pytest.mark.parametrize(
    "data", [{}, {"tls.crt": ""}, {"tls.crt": base64.b64encode(b"no certificate").decode()}, {"password": "eA=="}, None]
)
def test_a_secret_without_a_certificate_has_none(server: ApiServer, api: KubeApi, data: dict[str, str] | None) -> None:
    with pytest.raises(KubeError, match="404"):
        read_certificate(api, SECRET)
    server.answers("GET", SECRET_PATH, Reply({"data": data}))
    assert read_certificate(api, SECRET) is None
