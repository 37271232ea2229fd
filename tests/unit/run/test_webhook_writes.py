"""What is written to a webhook configuration, and that what istiod writes meanwhile is not lost."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from api_server import ApiServer, Reply
from sohistio.adapters.kubernetes.api import KubeError
from sohistio.adapters.kubernetes.paths import collection_path
from sohistio.model.revision import DEFAULT_REVISION
from sohistio.model.state import ObjectRef
from sohistio.model.webhooks import FAIL_AGAIN, MUTATING, VALIDATING
from sohistio.plan.webhook_steps import Cure, RepairWebhooks, WebhookRepair
from sohistio.run.webhooks import let_go, put_right, repair_webhooks

SYSTEM = "/api/v1/namespaces/istio-system"
TAG, VALIDATOR = "istio-revision-tag-default", "istiod-default-validator"
BOTH = ["namespace.sidecar-injector.istio.io", "object.sidecar-injector.istio.io"]


def path(kind: str, name: str) -> str:
    return f"{collection_path(kind, '')}/{name}"


def hook(name: str, *, policy: str = "Fail", service: str = "istiod", bundle: str = "eA==") -> dict[str, Any]:
    where = {"namespace": "istio-system", "name": service, "path": "/inject", "port": 443}
    return {"name": name, "failurePolicy": policy, "clientConfig": {"service": where, "caBundle": bundle}}


def configuration(
    name: str = TAG, *hooks: dict[str, Any], opened: str = "", revision: str = "default"
) -> dict[str, Any]:
    notes = {FAIL_AGAIN: opened, "team": "mesh"} if opened else {"team": "mesh"}
    labels = {"istio.io/rev": revision}
    if revision == "default" and name in (TAG, VALIDATOR):
        labels["istio.io/tag"] = "default"
    metadata = {"name": name, "annotations": notes, "labels": labels, "resourceVersion": "7"}
    return {"metadata": metadata, "webhooks": list(hooks) or [hook(each) for each in BOTH]}


class Cluster:
    """Webhook configurations, and istiod with a ready pod or without one."""

    def __init__(self, server: ApiServer, folder: Path) -> None:
        self.server = server
        self.api = server.api(folder)
        self.said: list[str] = []
        server.answers("GET", f"{SYSTEM}/configmaps/istio-ca-root-cert", Reply({"data": {"root-cert.pem": "pem"}}))

    def shows(self, *mutating: dict[str, Any], ready: bool, validating: tuple[dict[str, Any], ...] = ()) -> None:
        labels = {"app": "istiod", "istio.io/rev": "default"}
        place = {"namespace": "istio-system", "name": "istiod", "labels": labels}
        service = {"metadata": place, "spec": {"selector": {"app": "istiod"}}}
        status = {"conditions": [{"type": "Ready", "status": str(ready)}]}
        self.server.answers("GET", f"{SYSTEM}/services", Reply({"items": [service]}))
        self.server.answers("GET", f"{SYSTEM}/pods", Reply({"items": [{"metadata": place, "status": status}]}))
        for kind, items in ((MUTATING, mutating), (VALIDATING, validating)):
            self.server.answers("GET", collection_path(kind, ""), Reply({"items": list(items)}))
            for item in items:
                own = path(kind, item["metadata"]["name"])
                self.server.answers("GET", own, Reply(item))
                self.server.answers("PUT", own, Reply(item))
                self.server.answers("DELETE", own, Reply({}))

    def written(self) -> list[Any]:
        return [asked.body for asked in self.server.asked if asked.method == "PUT"]

    def put_right(self) -> list[Any]:
        put_right(self.api, self.said.append)
        return self.written()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with ApiServer() as server:
        yield Cluster(server, tmp_path)


def test_failures_are_ignored_and_count_again(cluster: Cluster) -> None:
    cluster.shows(configuration(TAG, hook("a"), hook("b", policy="Ignore")), ready=False)
    (opened,) = cluster.put_right()
    assert [each["failurePolicy"] for each in opened["webhooks"]] == ["Ignore", "Ignore"]
    assert opened["metadata"]["annotations"] == {FAIL_AGAIN: "a", "team": "mesh"}
    assert opened["metadata"]["resourceVersion"] == "7", "what istiod wrote meanwhile is not overwritten"
    assert "ignore its failures" in cluster.said[0]

    cluster.server.asked.clear()
    cluster.shows(opened, ready=True)
    (closed,) = cluster.put_right()
    assert [each["failurePolicy"] for each in closed["webhooks"]] == ["Fail", "Ignore"], "as somebody had it"
    assert closed["metadata"]["annotations"] == {"team": "mesh"}


def test_a_validator_is_left_to_istiod_to_close(cluster: Cluster) -> None:
    cluster.shows(ready=False, validating=(configuration(VALIDATOR),))
    (opened,) = cluster.put_right()
    assert opened["metadata"]["annotations"] == {"team": "mesh"}
    assert {each["failurePolicy"] for each in opened["webhooks"]} == {"Ignore"}


def test_one_that_leads_nowhere_is_pointed_to_istiod(cluster: Cluster) -> None:
    cluster.shows(configuration(TAG, hook("a", service="istiod-1-20"), revision="1-20"), ready=True)
    (pointed,) = cluster.put_right()
    client = pointed["webhooks"][0]["clientConfig"]
    assert client["service"] == {"namespace": "istio-system", "name": "istiod", "path": "/inject", "port": 443}
    assert client["caBundle"] == "cGVt"
    assert pointed["metadata"]["labels"] == {"istio.io/rev": "default"}, "istiod keeps the certificate of its own"


def test_one_without_a_certificate_gets_the_root(cluster: Cluster) -> None:
    cluster.shows(configuration(TAG, hook("a", bundle=""), hook("b")), ready=True)
    (trusting,) = cluster.put_right()
    assert [each["clientConfig"]["caBundle"] for each in trusting["webhooks"]] == ["cGVt", "eA=="]


def test_a_url_that_istio_did_not_write_gives_way_to_istiods_service(cluster: Cluster) -> None:
    item = configuration(TAG, hook("a"), hook("b"))
    item["webhooks"][1]["clientConfig"] = {"url": "https://evil.example/x", "caBundle": "eA=="}
    fields: dict[str, Any] = {"f:webhooks": {'k:{"name":"b"}': {"f:clientConfig": {"f:url": {}}}}}
    item["metadata"]["managedFields"] = [{"manager": "kubectl-patch", "operation": "Update", "fieldsV1": fields}]
    cluster.shows(item, ready=True)
    (pointed,) = cluster.put_right()
    service = {"namespace": "istio-system", "name": "istiod", "path": "/inject", "port": 443}
    clients = [each["clientConfig"] for each in pointed["webhooks"]]
    assert clients == [hook("a")["clientConfig"], {"service": service, "caBundle": "cGVt"}]
    assert "calls https://evil.example/x, which Istio did not write" in cluster.said[0]


def test_labels_that_somebody_took_away_come_back(cluster: Cluster) -> None:
    item = configuration()
    item["metadata"]["labels"] |= {"istio.io/tag": "prod", "app": "sidecar-injector"}
    cluster.shows(item, ready=True)
    (labelled,) = cluster.put_right()
    labels = {"app": "sidecar-injector", "istio.io/rev": "default", "istio.io/tag": "default"}
    assert labelled == item | {"metadata": item["metadata"] | {"labels": labels}}


@pytest.mark.parametrize("ready", [True, False])
def test_nothing_is_written_where_nothing_is_wrong(cluster: Cluster, ready: bool) -> None:
    quiet = [hook("a", policy="Ignore")] if not ready else [hook("a")]
    cluster.shows(configuration(TAG, *quiet), ready=ready)
    assert cluster.put_right() == cluster.said == []


def test_who_writes_at_the_same_time_is_waited_for(cluster: Cluster) -> None:
    cluster.shows(configuration(), ready=False)
    cluster.server.answers("PUT", path(MUTATING, TAG), Reply({"message": "changed"}, 409), Reply({}))
    assert len(cluster.put_right()) == 2
    cluster.server.answers("PUT", path(MUTATING, TAG), Reply({"message": "changed"}, 409))
    with pytest.raises(KubeError):
        cluster.put_right()


def test_a_step_does_only_what_is_still_needed(cluster: Cluster) -> None:
    step = RepairWebhooks(
        "webhooks/repair", "", (WebhookRepair(ObjectRef(MUTATING, "", TAG), Cure.IGNORE_FAILURES, ""),)
    )
    cluster.shows(configuration(), ready=True)
    repair_webhooks(cluster.api, step)
    assert cluster.written() == []
    cluster.shows(configuration(), configuration("istio-sidecar-injector"), ready=False)
    repair_webhooks(cluster.api, step)
    assert [item["metadata"]["name"] for item in cluster.written()] == [TAG]


def test_before_istiod_goes_nothing_is_left_that_refuses(cluster: Cluster) -> None:
    foreign = configuration("istio-sidecar-injector-1-20", revision="1-20")
    validators = (configuration(VALIDATOR), configuration("istio-validator-1-20", revision="1-20"))
    cluster.shows(deepcopy(configuration()), foreign, ready=True, validating=validators)
    let_go(cluster.api, DEFAULT_REVISION)
    (opened,) = cluster.written()
    assert opened["metadata"]["annotations"][FAIL_AGAIN] == ",".join(BOTH)
    deleted = [asked.path for asked in cluster.server.asked if asked.method == "DELETE"]
    assert deleted == [path(VALIDATING, VALIDATOR)]
