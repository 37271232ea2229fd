"""Whether a workload's new pod would be refused just now."""

from __future__ import annotations

from pathlib import Path

import pytest

from api_server import ApiServer, Reply
from observed import pod, workload
from sohistio.adapters.kubernetes.new_pod import deployment_refused, refused_now
from sohistio.model.state import ObjectRef

PODS = "/api/v1/namespaces/shop/pods"
WEB = workload(max_unavailable=3, pods=(pod(name="gone"), pod(name="web-1")), template={"spec": {"containers": []}})
DENIED = Reply({"message": 'admission webhook "x.example.com" denied the request: no'}, 400)
FULL = Reply({"message": "exceeded quota: q, requested: pods=1, used: pods=3, limited: pods=3"}, 403)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        pytest.param(Reply({}, 201), "", id="taken"),
        pytest.param(DENIED, "the admission webhook x.example.com refuses such a pod (no)", id="denied"),
        pytest.param(FULL, "", id="full-until-the-old-one-goes"),
        pytest.param(Reply({"message": "cannot create resource"}, 403), "", id="no-right"),
    ],
)
def test_why_it_would_be_refused(answer: Reply, why: str, tmp_path: Path) -> None:
    with ApiServer() as server:
        server.answers("GET", f"{PODS}/web-1", Reply({"metadata": {"name": "web-1"}, "spec": {}}))
        server.answers("POST", PODS, answer)
        assert refused_now(server.api(tmp_path), WEB) == why
        assert server.asked[-1].query == {"dryRun": "All"}


def test_without_a_pod_of_today_nobody_is_asked(tmp_path: Path) -> None:
    with ApiServer() as server:
        assert refused_now(server.api(tmp_path), WEB) == ""
        assert {asked.method for asked in server.asked} == {"GET"}


DEPLOYMENT = "/apis/apps/v1/namespaces/shop/deployments/web"


@pytest.mark.parametrize(
    ("answer", "said"),
    [pytest.param(Reply({}, 201), None, id="taken"), pytest.param(DENIED, DENIED.body["message"], id="denied")],
)
def test_what_the_server_says_against_a_pod_of_a_deployment_as_it_is(
    answer: Reply, said: str | None, tmp_path: Path
) -> None:
    live = {"metadata": {"name": "web"}, "spec": {"template": {"spec": {"containers": [{"name": "c"}]}}}}
    owners = [{"kind": "ReplicaSet", "name": "web-5", "blockOwnerDeletion": True}]
    sample = {"metadata": {"name": "web-5-x", "ownerReferences": owners}, "spec": {}}
    with ApiServer() as server:
        server.answers("GET", DEPLOYMENT, Reply(live))
        server.answers("POST", PODS, answer)
        found = deployment_refused(server.api(tmp_path), ObjectRef("Deployment", "shop", "web"), sample)
        assert (found.said if found else None) == said
        assert server.asked[-1].query == {"dryRun": "All"}
        made = server.asked[-1].body
        assert made["spec"]["containers"] == [{"name": "c"}]
        assert made["metadata"]["ownerReferences"] == [{"kind": "ReplicaSet", "name": "web-5"}]


def test_a_deployment_that_is_not_there_is_not_refused(tmp_path: Path) -> None:
    with ApiServer() as server:
        server.answers("GET", DEPLOYMENT, Reply({"message": "gone"}, 404))
        ref = ObjectRef("Deployment", "shop", "web")
        assert deployment_refused(server.api(tmp_path), ref, {"metadata": {}, "spec": {}}) is None
