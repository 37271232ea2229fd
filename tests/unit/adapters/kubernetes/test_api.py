"""The Kubernetes API as we use it: pages, patience with a server in trouble, errors in our words."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from api_server import ApiServer, Reply
from sohistio.adapters.kubernetes.api import KubeApi, KubeError
from sohistio.adapters.kubernetes.requests import PAGE_SIZE
from sohistio.adapters.kubernetes.sender import TRIES
from sohistio.model.kube_target import KubeTarget

PODS = "/api/v1/pods"
POD = "/api/v1/namespaces/shop/pods/web"
AT_ONCE = {"Retry-After": "0"}


def page(*names: str, token: str = "") -> Reply:
    return Reply({"metadata": {"continue": token}, "items": [{"metadata": {"name": name}} for name in names]})


def names(items: list[dict[str, Any]]) -> list[str]:
    return [item["metadata"]["name"] for item in items]


# --- lists


def test_a_list_is_read_page_by_page(server: ApiServer, api: KubeApi) -> None:
    server.answers("GET", PODS, page("a", "b", token="one"), page("c", token="two"), page("d"))
    assert names(api.items(PODS, labels="app=web", fields="x=y")) == ["a", "b", "c", "d"]
    always = {"labelSelector": "app=web", "fieldSelector": "x=y", "limit": str(PAGE_SIZE)}
    assert [asked.query for asked in server.asked] == [
        always,
        always | {"continue": "one"},
        always | {"continue": "two"},
    ]
    assert {asked.headers["authorization"] for asked in server.asked} == {"Bearer t0ken"}


def test_an_expired_page_starts_the_list_again_and_mixes_nothing(server: ApiServer, api: KubeApi) -> None:
    expired = Reply({"message": "the provided continue parameter is too old"}, 410)
    server.answers("GET", PODS, page("old", token="one"), expired, page("new", token="two"), page("newer"))
    assert names(api.items(PODS)) == ["new", "newer"]


def test_a_list_that_keeps_expiring_ends(server: ApiServer, api: KubeApi) -> None:
    server.answers("GET", PODS, Reply({"message": "too old"}, 410))
    with pytest.raises(KubeError, match="answered 410"):
        api.items(PODS)
    assert len(server.asked) == TRIES


def test_only_metadata_is_asked_for_where_that_is_enough(server: ApiServer, api: KubeApi) -> None:
    server.answers("GET", PODS, page("a"))
    api.items(PODS, metadata_only=True)
    assert "as=PartialObjectMetadataList" in server.asked[0].headers["accept"]


def test_no_items_at_all(server: ApiServer, api: KubeApi) -> None:
    server.answers("GET", PODS, Reply({"metadata": {}, "items": None}))
    assert api.items(PODS) == []


# --- single objects


def test_what_is_not_there(api: KubeApi) -> None:
    assert api.get(POD) is None
    assert api.delete(POD) is False
    with pytest.raises(KubeError, match="answered 404"):
        api.merge_patch(POD, {})


def test_writes_say_who_writes(server: ApiServer, api: KubeApi) -> None:
    for method in ("PATCH", "POST", "PUT"):
        server.answers(method, POD, Reply({"kind": "Pod"}))
    patch = {"metadata": {"labels": {"a": None}}}
    api.merge_patch(POD, patch)
    api.create(POD, {"kind": "Pod"})
    api.replace(POD, {"kind": "Pod"})
    api.apply(POD, {"kind": "Pod"}, "someone", force=True)
    api.dry_run_apply(POD, {"kind": "Pod"}, "istio-operator")
    merge, create, replace, apply, dry_run = server.asked
    assert merge.body == patch
    assert merge.headers["content-type"] == "application/merge-patch+json"
    assert {asked.query["fieldManager"] for asked in (merge, create, replace)} == {"sohistio"}
    assert (apply.query, apply.headers["content-type"]) == (
        {"fieldManager": "someone", "force": "true"},
        "application/apply-patch+yaml",
    )
    assert dry_run.query == {"fieldManager": "istio-operator", "force": "true", "dryRun": "All"}


def test_a_path_is_kubernetes_own_or_what_the_server_says(server: ApiServer, api: KubeApi) -> None:
    resources = [
        {"name": "gateways", "kind": "Gateway", "namespaced": True},
        {"name": "gateways/status", "kind": "Gateway", "namespaced": True},
    ]
    server.answers("GET", "/apis/networking.istio.io/v1", Reply({"resources": resources}))
    server.answers("GET", "/api/v1", Reply({"resources": [{"name": "nodes", "kind": "Node", "namespaced": False}]}))
    web = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"}}
    assert api.path_of(web) == "/apis/apps/v1/namespaces/shop/deployments/web"
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "r"}}
    assert api.path_of(role) == "/apis/rbac.authorization.k8s.io/v1/clusterroles/r"
    assert not server.asked, "Kubernetes' own kinds are known"
    edge = {"apiVersion": "networking.istio.io/v1", "kind": "Gateway", "metadata": {"name": "edge", "namespace": "a"}}
    for _ in range(2):
        assert api.path_of(edge) == "/apis/networking.istio.io/v1/namespaces/a/gateways/edge"
    assert api.path_of({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}}) == "/api/v1/nodes/n"
    assert len(server.asked) == 2, "asked once a group"
    with pytest.raises(KubeError, match=r"does not know networking.istio.io/v1 Gadget"):
        api.path_of(edge | {"kind": "Gadget"})


# --- a server in trouble


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(Reply({"message": "slow down"}, 429, AT_ONCE), id="throttled"),
        pytest.param(Reply({"message": "etcd"}, 500, AT_ONCE), id="500"),
        pytest.param(Reply(b"bad gateway", 502, AT_ONCE), id="502"),
        pytest.param(Reply(reset=True), id="reset"),
    ],
)
def test_a_read_is_tried_again(server: ApiServer, api: KubeApi, trouble: Reply) -> None:
    server.answers("GET", POD, trouble, Reply({"kind": "Pod"}))
    assert api.get(POD) == {"kind": "Pod"}
    assert len(server.asked) == 2


def test_a_server_that_stays_in_trouble(server: ApiServer, api: KubeApi) -> None:
    server.answers("GET", POD, Reply({"message": "etcd is gone"}, 503, AT_ONCE))
    with pytest.raises(KubeError, match=f"GET {POD} answered 503") as caught:
        api.get(POD)
    assert caught.value.details == ("etcd is gone",)
    assert len(server.asked) == TRIES


@pytest.mark.parametrize("trouble", [Reply({"message": "no"}, 500, AT_ONCE), Reply(reset=True)])
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_what_may_have_been_done_is_not_done_twice(
    server: ApiServer, api: KubeApi, method: str, trouble: Reply
) -> None:
    server.answers(method, POD, trouble)
    with pytest.raises(KubeError):
        api.request(method, POD, body={"kind": "Pod"})
    assert len(server.asked) == 1


def test_a_throttled_write_has_not_been_done_and_is_tried_again(server: ApiServer, api: KubeApi) -> None:
    server.answers("POST", POD, Reply({"message": "slow down"}, 429, AT_ONCE), Reply({"kind": "Pod"}))
    api.create(POD, {"kind": "Pod"})
    assert len(server.asked) == 2


# --- errors


@pytest.mark.parametrize(
    ("status", "what", "todo"),
    [
        (401, "the API server rejects the credentials (401 Unauthorized)", "log in again"),
        (403, "the API server forbids a request", "Ask for a role"),
        (409, f"GET {POD} answered 409", ""),
    ],
)
def test_errors_in_our_words(server: ApiServer, api: KubeApi, status: int, what: str, todo: str) -> None:
    server.answers("GET", POD, Reply({"message": "its own words"}, status))
    with pytest.raises(KubeError) as caught:
        api.get(POD)
    assert (caught.value.status, caught.value.what, caught.value.details) == (status, what, ("its own words",))
    assert todo in caught.value.todo
    assert len(server.asked) == 1, "asking again changes nothing"


@pytest.mark.parametrize(
    ("status", "said", "todo"),
    [
        (403, 'pods is forbidden: User "system:anonymous" cannot list resource "pods"', "Nobody logged in"),
        (403, 'pods is forbidden: User "ada" cannot list resource "pods"', "Ask for a role"),
        (400, "Client sent an HTTP request to an HTTPS server.\n", "https:// in place of http://"),
        (400, "some other", ""),
    ],
)
def test_what_to_do_is_told_by_the_words(server: ApiServer, api: KubeApi, status: int, said: str, todo: str) -> None:
    server.answers("GET", POD, Reply(said.encode(), status))
    with pytest.raises(KubeError) as caught:
        api.get(POD)
    assert todo in caught.value.todo
    assert bool(todo) == bool(caught.value.todo)


@pytest.mark.parametrize(
    "body", [b"<html>log in</html>", b"[1, 2]", b"", b"[" * 100_000], ids=["page", "list", "nothing", "deep"]
)
def test_something_else_answers(server: ApiServer, api: KubeApi, body: bytes) -> None:
    server.answers("GET", POD, Reply(body))
    with pytest.raises(KubeError, match="is no Kubernetes API server"):
        api.get(POD)


@pytest.mark.parametrize(
    "body", [{"items": [1]}, {"items": 7}, {"metadata": 7}, {"metadata": {"continue": 7}}], ids=str
)
def test_json_that_is_no_list_of_objects(server: ApiServer, api: KubeApi, body: dict[str, object]) -> None:
    server.answers("GET", "/api/v1/pods", Reply(body))
    with pytest.raises(KubeError, match="is no Kubernetes API server"):
        api.items("/api/v1/pods")


def test_a_server_that_leads_elsewhere(server: ApiServer, api: KubeApi) -> None:
    server.answers("GET", POD, Reply(b"", 302))
    with pytest.raises(KubeError) as caught:
        api.get(POD)
    assert (caught.value.what, caught.value.details) == (f"GET {POD} answered 302", ())
    assert "login page" in caught.value.todo


def test_an_error_page_of_somebody_else(server: ApiServer, api: KubeApi) -> None:
    server.answers("GET", POD, Reply(b"<html>Forbidden by the proxy</html>", 403))
    with pytest.raises(KubeError) as caught:
        api.get(POD)
    assert caught.value.details == ("<html>Forbidden by the proxy</html>",)
    server.answers("GET", POD, Reply(b"[" * 100_000, 403))
    with pytest.raises(KubeError, match="forbids a request"):
        api.get(POD)


def test_nobody_answers(tmp_path: Path) -> None:
    with ApiServer() as gone:
        api = gone.api(tmp_path)
    with pytest.raises(KubeError, match="cannot be reached") as caught:
        api.get(POD)
    assert caught.value.status == 0
    assert "Connection refused" in caught.value.details[0]
    assert "VPN" in caught.value.todo


def test_a_silent_server_does_not_hold_us_up_for_ever(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        kubeconfig = tmp_path / "kubeconfig"
        port = silent.getsockname()[1]
        kubeconfig.write_text(
            f'{{"clusters": [{{"name": "c", "cluster": {{"server": "http://127.0.0.1:{port}"}}}}],'
            '"users": [{"name": "u", "user": {}}],'
            '"contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}]}'
        )
        api = KubeApi(KubeTarget(kubeconfig, "x")).within(0.2)
        with pytest.raises(KubeError, match="cannot be reached") as caught:
            api.get(POD)
    assert "timed out" in caught.value.details[0]
