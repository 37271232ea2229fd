"""Whom Istio's webhooks reach, from raw objects: Services by their selectors, pods by their readiness."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from api_server import ApiServer, Reply
from sohistio.adapters.kubernetes.observe import observe
from sohistio.adapters.kubernetes.webhooks import dead_here, read_webhooks, webhooks_in
from sohistio.model.webhooks import FAIL_AGAIN, MUTATING, VALIDATING, Reach

LABELS: dict[str, str] = {"app": "istiod", "istio.io/rev": "default"}
ISTIOD: dict[str, Any] = {
    "metadata": {"namespace": "istio-system", "name": "istiod", "labels": LABELS},
    "spec": {"selector": {"app": "istiod"}},
}
OUTSIDE = {"metadata": {"namespace": "istio-system", "name": "istiod-remote", "labels": {}}, "spec": {}}


def pod(*, ready: bool = True, namespace: str = "istio-system", app: str = "istiod", **metadata: Any) -> dict[str, Any]:
    conditions = [{"type": "Ready", "status": str(ready)}]
    place = {"namespace": namespace, "name": "istiod-1", "labels": {"app": app, "x": "y"}}
    return {"metadata": place | metadata, "status": {"conditions": conditions}}


def configuration(
    service: str = "istiod", *, namespace: str = "istio-system", path: str = "/inject", port: int = 443, **hook: Any
) -> dict[str, Any]:
    called = {"namespace": namespace, "name": service, "path": path, "port": port}
    client = {"service": called, "caBundle": "cGVtCg=="}
    labels = {"istio.io/rev": "default"}
    return {
        "metadata": {"name": "tag", "labels": labels},
        "webhooks": [{"name": "x", "clientConfig": client} | hook],
    }


@pytest.mark.parametrize(
    ("item", "pods", "reach", "live"),
    [
        pytest.param(configuration(), [pod()], Reach.READY, "istiod", id="ready"),
        pytest.param(configuration(), [pod(ready=False), pod()], Reach.READY, "istiod", id="one-ready"),
        pytest.param(configuration(), [pod(ready=False)], Reach.NO_POD, "", id="not-ready"),
        pytest.param(configuration(), [pod(deletionTimestamp="now")], Reach.NO_POD, "", id="on-its-way-out"),
        pytest.param(configuration(), [pod(app="web"), pod(namespace="shop")], Reach.NO_POD, "", id="others"),
        pytest.param(configuration("istiod-1-20"), [pod()], Reach.NO_SERVICE, "istiod", id="no-service"),
        pytest.param(configuration(path="/inject/cluster/a"), [pod()], Reach.READY, "istiod", id="of-a-cluster"),
        pytest.param(configuration(path="/injected"), [pod()], Reach.NO_PATH, "istiod", id="another-path"),
        pytest.param(configuration(port=8443), [pod()], Reach.NO_PATH, "istiod", id="another-port"),
        pytest.param(configuration("istiod-remote"), [pod()], Reach.OUTSIDE, "istiod", id="endpoints-by-hand"),
        pytest.param(configuration(clientConfig={"url": "https://x"}), [pod()], Reach.OUTSIDE, "istiod", id="url"),
    ],
)
def test_whom_it_reaches(item: dict[str, Any], pods: list[dict[str, Any]], reach: Reach, live: str) -> None:
    found = webhooks_in({MUTATING: [item]}, [ISTIOD, OUTSIDE], pods)
    (hook,) = found.configurations[0].hooks
    assert (hook.reach, found.live) == (reach, live)
    assert hook.fails, "that is the default"


def test_the_rest_of_it() -> None:
    parked = {"matchLabels": {"istio.io/deactivated": "never-match"}}
    item = configuration(failurePolicy="Ignore", objectSelector=parked)
    item["metadata"]["annotations"] = {FAIL_AGAIN: "x"}
    (found,) = webhooks_in({VALIDATING: [item]}, [ISTIOD], [pod()]).configurations
    assert (found.kind, found.name, found.revision, found.opened) == (VALIDATING, "tag", "default", True)
    assert (found.hooks[0].fails, found.hooks[0].parked, len(found.hooks[0].root)) == (False, True, 64)


@pytest.mark.parametrize(
    ("item", "pods", "expected"),
    [
        pytest.param(configuration("istiod-1-20"), [pod()], ("tag.webhooks[",), id="no-service"),
        pytest.param(configuration("istiod-1-20"), [], (), id="no-istiod-to-point-it-to"),
        pytest.param(configuration("istiod-remote"), [pod()], (), id="somebody's-endpoints"),
        pytest.param(configuration("evil", namespace="evil"), [pod()], (), id="elsewhere"),
        pytest.param(configuration(), [pod()], (), id="alive"),
    ],
)
def test_what_a_run_points_to_istiod_by_itself(
    item: dict[str, Any], pods: list[dict[str, Any]], expected: tuple[str, ...]
) -> None:
    assert dead_here(webhooks_in({MUTATING: [item]}, [ISTIOD, OUTSIDE], pods, everywhere=False)) == expected


def test_a_tags_own_service_is_none_to_point_to() -> None:
    labels = LABELS | {"istio.io/tag": "default"}
    tag = {"metadata": ISTIOD["metadata"] | {"labels": labels}, "spec": ISTIOD["spec"]}
    assert webhooks_in({}, [tag], [pod()]).live == ""


def test_a_short_look_judges_only_what_it_has_seen(tmp_path: Path) -> None:
    with ApiServer() as server:
        server.shows(
            mutatingwebhookconfigurations=[configuration("istiod-1-20"), configuration("x", namespace="mesh-2")]
        )
        for name, items in (("services", [ISTIOD]), ("pods", [pod()])):
            server.answers("GET", f"/api/v1/namespaces/istio-system/{name}", Reply({"items": items}))
        found = read_webhooks(server.api(tmp_path))
        assert [item.hooks[0].reach for item in found.configurations] == [Reach.NO_SERVICE, Reach.OUTSIDE]
        server.shows()
        asked = len(server.asked)
        assert read_webhooks(server.api(tmp_path)).configurations == ()
        assert len(server.asked) == asked + 2, "without webhooks nobody is asked who answers them"


def test_application_routings_are_not_looked_at(tmp_path: Path) -> None:
    foreign = configuration("istiod", namespace="aks-istio-system")
    with ApiServer() as server:
        server.shows(mutatingwebhookconfigurations=[foreign, configuration()], services=[ISTIOD], pods=[])
        for name in ("istio-sidecar-injector", "istio-ca-root-cert"):
            server.answers("GET", f"/api/v1/namespaces/istio-system/configmaps/{name}", Reply({}, 404))
        state = observe(server.api(tmp_path))
    assert [item.hooks[0].called for item in state.webhooks.configurations] == ["istio-system/istiod"]
