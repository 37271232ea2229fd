"""Raw objects of the API → workloads with their running pods: owners, opt-outs, native sidecars, update strategies."""

from __future__ import annotations

from typing import Any

import pytest

from sohistio.adapters.kubernetes.injection import changed_at, in_force_since, injectors_of, injects
from sohistio.adapters.kubernetes.workloads import carriers_in, workloads_in
from sohistio.model.state import ObjectRef, Workload

PROXY = {"name": "istio-proxy", "image": "docker.io/istio/proxyv2:1.31.1"}
APP = {"name": "app", "image": "example/app:1"}


def meta(name: str, *, owner: str = "", **more: Any) -> dict[str, Any]:
    owners = [{"uid": owner, "controller": True, "kind": "any"}] if owner else []
    return {"name": name, "namespace": "shop", "uid": f"uid-{name}", "ownerReferences": owners, **more}


def pod(name: str, *, owner: str = "", phase: str = "Running", **spec: Any) -> dict[str, Any]:
    ready = [{"type": "Ready", "status": "True"}]
    return {
        "metadata": meta(name, owner=owner, labels={"app": "web"}),
        "spec": {"containers": [APP], **spec},
        "status": {"phase": phase, "conditions": ready},
    }


def deployment(name: str = "web", status: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    template = {"spec": {"containers": [APP]}}
    return {"metadata": meta(name), "spec": {"replicas": 4, "template": template, **spec}, "status": status or {}}


def seen(**lists: list[dict[str, Any]]) -> tuple[tuple[Workload, ...], tuple[ObjectRef, ...]]:
    """What is made of these lists, in an injected namespace shop and a namespace plain that is not."""
    namespaces: list[dict[str, Any]] = [
        {"metadata": {"name": "shop", "labels": {"istio-injection": "enabled"}}},
        {"metadata": {"name": "plain"}},
    ]
    kinds = ("Deployments", "StatefulSets", "DaemonSets", "ReplicaSets", "Pods")
    return workloads_in({"Namespaces": namespaces} | {kind: lists.get(kind, []) for kind in kinds})


def one(**lists: list[dict[str, Any]]) -> Workload:
    (workload,), _ = seen(**lists)
    return workload


@pytest.mark.parametrize(
    ("labels", "injected"),
    [
        (None, False),
        ({"istio-injection": "enabled"}, True),
        ({"istio-injection": "disabled"}, False),
        ({"istio.io/rev": "default"}, True),
        ({"istio.io/rev": "canary"}, False),
        ({"istio-injection": "disabled", "istio.io/rev": "default"}, False),
    ],
)
def test_which_namespaces_are_injected(labels: dict[str, str] | None, injected: bool) -> None:
    assert injects(injectors_of(()), labels or {}) is injected


def test_the_owner_of_a_pod_is_found_through_its_replica_set() -> None:
    replica_set = {"metadata": meta("web-7d", owner="uid-web")}
    workload = one(
        Deployments=[deployment()],
        ReplicaSets=[replica_set],
        Pods=[pod("web-7d-a", owner="uid-web-7d"), pod("web-7d-b", owner="uid-web-7d")],
    )
    assert workload.ref == ObjectRef("Deployment", "shop", "web")
    assert [item.name for item in workload.pods] == ["web-7d-a", "web-7d-b"]


@pytest.mark.parametrize("kind", ["StatefulSets", "DaemonSets"])
def test_the_owner_of_a_pod_without_a_replica_set(kind: str) -> None:
    workload = one(**{kind: [deployment()]}, Pods=[pod("web-0", owner="uid-web")])
    assert workload.ref.kind == kind.removesuffix("s")
    assert len(workload.pods) == 1


@pytest.mark.parametrize(
    ("spec", "image"),
    [
        pytest.param({"containers": [APP, PROXY]}, PROXY["image"], id="container"),
        pytest.param({"initContainers": [PROXY | {"restartPolicy": "Always"}]}, PROXY["image"], id="native-sidecar"),
        pytest.param({"initContainers": None}, "", id="none"),
    ],
)
def test_the_proxy_of_a_pod(spec: dict[str, Any], image: str) -> None:
    workload = one(StatefulSets=[deployment()], Pods=[pod("web-0", owner="uid-web", **spec)])
    assert workload.pods[0].proxy_image == image


@pytest.mark.parametrize("phase", ["Pending", "Succeeded", "Failed"])
def test_pods_that_do_not_run_do_not_count(phase: str) -> None:
    assert one(StatefulSets=[deployment()], Pods=[pod("web-0", owner="uid-web", phase=phase)]).pods == ()


def test_new_pods_that_do_not_run_yet_are_arriving() -> None:
    sets = [{"metadata": meta("web-1", owner="uid-web")}]
    pods = [
        pod("old", owner="uid-web-1"),
        pod("new", owner="uid-web-1", phase="Pending", initContainers=[PROXY]),
        pod("over", owner="uid-web-1", phase="Succeeded"),
    ]
    workload = one(Deployments=[deployment()], ReplicaSets=sets, Pods=pods)
    assert [seen.name for seen in workload.pods] == ["old"]
    assert [(seen.name, seen.proxy_image) for seen in workload.arriving] == [("new", PROXY["image"])]


def test_pods_on_their_way_out_do_not_count() -> None:
    going = pod("web-0", owner="uid-web")
    going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert one(StatefulSets=[deployment()], Pods=[going]).pods == ()


def test_pods_nobody_owns() -> None:
    by_a_job = pod("job-x", owner="uid-job")
    _, unowned = seen(Pods=[pod("debug"), by_a_job])
    assert [ref.name for ref in unowned] == ["debug", "job-x"]


def test_other_namespaces_are_not_looked_at() -> None:
    elsewhere, loose = deployment(), pod("loose")
    elsewhere["metadata"]["namespace"] = loose["metadata"]["namespace"] = "plain"
    assert seen(Deployments=[elsewhere], Pods=[loose]) == ((), ())


def test_what_decides_injection_is_kept() -> None:
    out = pod("web-0", owner="uid-web", hostNetwork=True)
    out["metadata"] |= {"labels": {"sidecar.istio.io/inject": "false"}, "annotations": {"a": "b"}}
    (kept,) = one(StatefulSets=[deployment()], Pods=[out]).pods
    assert (kept.opted_out, kept.host_network, kept.annotations) == (True, True, {"a": "b"})


def rolling(unavailable: int | str | None = None, surge: int | str | None = None) -> dict[str, Any]:
    given = {"maxUnavailable": unavailable, "maxSurge": surge}
    return {"type": "RollingUpdate", "rollingUpdate": {k: v for k, v in given.items() if v is not None}}


@pytest.mark.parametrize(
    ("kind", "spec", "down"),
    [
        pytest.param("Deployments", {}, 1, id="default-is-a-quarter-rounded-down"),
        pytest.param("Deployments", {"replicas": 3}, 0, id="a-quarter-of-three"),
        pytest.param("Deployments", {"strategy": rolling(2, 0)}, 2, id="number"),
        pytest.param("Deployments", {"strategy": rolling("50%")}, 2, id="percentage"),
        pytest.param("Deployments", {"strategy": rolling(0, 1)}, 0, id="surge-only"),
        pytest.param("Deployments", {"strategy": rolling(0, 0)}, 1, id="both-zero-means-one"),
        pytest.param("Deployments", {"strategy": {"type": "Recreate"}}, 4, id="recreate"),
        pytest.param("StatefulSets", {}, 1, id="stateful-default"),
        pytest.param("StatefulSets", {"updateStrategy": rolling("30%")}, 2, id="stateful-percentage-rounds-up"),
        pytest.param("DaemonSets", {"updateStrategy": rolling(3)}, 3, id="daemon-number"),
        pytest.param("DaemonSets", {"updateStrategy": rolling(0, 1)}, 0, id="daemon-surge"),
    ],
)
def test_pods_down_at_a_time(kind: str, spec: dict[str, Any], down: int) -> None:
    status = {"desiredNumberScheduled": 4}
    assert one(**{kind: [deployment(status=status, **spec)]}).max_unavailable == down


@pytest.mark.parametrize(
    ("kind", "spec", "strategy"),
    [
        ("Deployments", {}, "RollingUpdate"),
        ("Deployments", {"strategy": {"type": "Recreate"}}, "Recreate"),
        ("DaemonSets", {"updateStrategy": {"type": "OnDelete"}}, "OnDelete"),
        (
            "StatefulSets",
            {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}},
            "Partitioned",
        ),
        (
            "StatefulSets",
            {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}},
            "RollingUpdate",
        ),
    ],
)
def test_how_it_updates(kind: str, spec: dict[str, Any], strategy: str) -> None:
    assert one(**{kind: [deployment(**spec)]}).strategy == strategy


@pytest.mark.parametrize(
    ("kind", "status", "under_way"),
    [
        pytest.param("Deployments", {"replicas": 4, "updatedReplicas": 4}, False, id="deployment-done"),
        pytest.param("Deployments", {"replicas": 5, "updatedReplicas": 2}, True, id="deployment"),
        pytest.param("StatefulSets", {"currentRevision": "a", "updateRevision": "b"}, True, id="stateful"),
        pytest.param("StatefulSets", {"currentRevision": "b", "updateRevision": "b"}, False, id="stateful-done"),
        pytest.param("DaemonSets", {"updatedNumberScheduled": 1, "desiredNumberScheduled": 3}, True, id="daemon"),
    ],
)
def test_whether_an_update_is_under_way(kind: str, status: dict[str, Any], under_way: bool) -> None:
    assert one(**{kind: [deployment(status=status)]}).rolling is under_way


def test_a_change_that_its_controller_has_not_seen_is_under_way() -> None:
    fresh = deployment(status={"observedGeneration": 1})
    fresh["metadata"]["generation"] = 2
    assert one(Deployments=[fresh]).rolling


def test_scaled_to_zero_and_paused() -> None:
    workload = one(Deployments=[deployment(replicas=0, paused=True)])
    assert (workload.desired, workload.paused) == (0, True)


# --- what injects, and where

OUT, IN = {"sidecar.istio.io/inject": "false"}, {"sidecar.istio.io/inject": "true"}
ENABLED, DISABLED = {"istio-injection": "enabled"}, {"istio-injection": "disabled"}


def revision(name: str) -> dict[str, str]:
    return {"istio.io/rev": name}


def webhook(
    namespaces: list[dict[str, Any]], pods: list[dict[str, Any]], place: str = "istio-system"
) -> dict[str, Any]:
    return {
        "clientConfig": {"service": {"namespace": place, "name": "istiod"}},
        "namespaceSelector": {"matchExpressions": namespaces},
        "objectSelector": {"matchExpressions": pods},
    }


def tag(name: str, leads_to: str = "default", place: str = "istio-system") -> dict[str, Any]:
    """A revision tag's configuration, as `istioctl tag set` writes it."""
    unlabelled = [{"key": key, "operator": "DoesNotExist"} for key in ("istio-injection", "istio.io/rev")]
    named = {"key": "istio.io/rev", "operator": "In", "values": [name]}
    not_out = {"key": "sidecar.istio.io/inject", "operator": "NotIn", "values": ["false"]}
    hooks = [webhook([named, unlabelled[0]], [not_out], place), webhook(unlabelled, [not_out, named], place)]
    labels = {"istio.io/tag": name, "istio.io/rev": leads_to}
    return {"metadata": {"name": f"istio-revision-tag-{name}", "labels": labels}, "webhooks": hooks}


EVERYWHERE = {
    "metadata": {"name": "istio-sidecar-injector", "labels": revision("default")},
    "webhooks": [webhook([{"key": "istio-injection", "operator": "NotIn", "values": ["disabled"]}], [])],
}


@pytest.mark.parametrize(
    ("configurations", "namespace", "labels", "injected"),
    [
        pytest.param([], {}, {}, False, id="no-label"),
        pytest.param([], {}, IN, True, id="pod-label"),
        pytest.param([], {}, OUT, False, id="pod-label-false"),
        pytest.param([], {}, revision("default"), True, id="pod-revision"),
        pytest.param([], {}, revision("default") | OUT, False, id="pod-revision-but-out"),
        pytest.param([], {}, IN | revision("canary"), False, id="pod-of-another-revision"),
        pytest.param([], ENABLED, {}, True, id="namespace"),
        pytest.param([], ENABLED, OUT, False, id="namespace-but-out"),
        pytest.param([], ENABLED, revision("canary"), True, id="namespace-beats-the-pods-revision"),
        pytest.param([], DISABLED, IN, False, id="namespace-disabled-beats-the-pod"),
        pytest.param([], revision("canary"), IN, False, id="namespace-of-another-revision"),
        pytest.param([], {"kubernetes.io/metadata.name": "kube-system"}, IN, False, id="never-in-kube-system"),
        pytest.param([], revision("stable"), {}, False, id="an-unknown-tag"),
        pytest.param([tag("stable")], revision("stable"), {}, True, id="a-tag-of-the-namespace"),
        pytest.param([tag("stable")], {}, revision("stable"), True, id="a-tag-of-the-pod"),
        pytest.param([tag("stable")], {}, IN, True, id="a-tag-beside-the-default"),
        pytest.param([tag("stable", "canary")], revision("stable"), {}, False, id="a-tag-of-another-revision"),
        pytest.param([tag("stable", place="other")], revision("stable"), {}, False, id="another-istiod"),
        pytest.param([EVERYWHERE], {}, {}, True, id="what-is-there-counts"),
        pytest.param([EVERYWHERE], DISABLED, {}, False, id="what-is-there-counts-where-it-does-not"),
        pytest.param([{"metadata": {"name": "x", "labels": revision("default")}}], {}, IN, True, id="no-webhooks-yet"),
    ],
)
def test_what_is_injected(
    configurations: list[dict[str, Any]], namespace: dict[str, str], labels: dict[str, str], injected: bool
) -> None:
    assert injects(injectors_of(configurations), namespace, labels) is injected


def test_workloads_that_opt_in_elsewhere_are_looked_at() -> None:
    """A label on the pods, or a tag on the namespace; what its namespace does not inject is not asked for."""
    labelled = {"metadata": {"name": "shop", "labels": ENABLED}}
    tagged = {"metadata": {"name": "tagged", "labels": revision("stable")}}
    plain, away = {"metadata": {"name": "plain"}}, {"metadata": {"name": "away", "labels": DISABLED}}

    def of(place: str, name: str, labels: dict[str, str] | None = None) -> dict[str, Any]:
        template = {"metadata": {"labels": labels or {}}, "spec": {"containers": [APP]}}
        found = deployment(name, template=template)
        found["metadata"] |= {"namespace": place, "uid": f"{place}-{name}"}
        return found

    bare, unasked = pod("bare"), pod("unasked")
    for item, labels in ((bare, IN), (unasked, {})):
        item["metadata"] |= {"namespace": "plain", "labels": labels}
    lists: dict[str, list[dict[str, Any]]] = {
        "Namespaces": [labelled, tagged, plain, away],
        "Deployments": [
            of("shop", "web"),
            of("tagged", "web"),
            of("plain", "in", IN),
            of("plain", "no"),
            of("away", "in", IN),
        ],
        "StatefulSets": [],
        "DaemonSets": [],
        "ReplicaSets": [],
        "Pods": [bare, unasked],
        "MutatingWebhookConfigurations": [tag("stable")],
    }
    workloads, unowned = workloads_in(lists)
    assert [(str(item.ref), item.opted_in) for item in workloads] == [
        ("Deployment plain/in", True),
        ("Deployment shop/web", False),
        ("Deployment tagged/web", True),
    ]
    assert [ref.name for ref in unowned] == ["bare"]
    soon, _ = workloads_in(lists, ["plain"])
    assert [item.ref.name for item in soon if item.ref.namespace == "plain"] == ["in", "no"]


@pytest.mark.parametrize(
    ("image", "annotations", "own"),
    [
        ("own/proxy:7", {}, "own/proxy:7"),
        ("auto", {}, ""),
        ("docker.io/istio/proxyv2:1.29.8", {"sidecar.istio.io/status": "{}"}, ""),
    ],
)
def test_a_proxy_image_of_its_templates_own(image: str, annotations: dict[str, str], own: str) -> None:
    spec = {"containers": [APP, {"name": "istio-proxy", "image": image}]}
    found = one(Deployments=[deployment(template={"metadata": {"annotations": annotations}, "spec": spec})])
    assert (found.own_image, found.brings_proxy) == (own, True)


def test_carriers_that_nothing_owns_come_with_their_pod() -> None:
    lists: dict[str, list[dict[str, Any]]] = {
        kind: [] for kind in ("Namespaces", "Deployments", "StatefulSets", "DaemonSets", "ReplicaSets")
    }
    job = pod("job-x", owner="uid-job", containers=[APP, PROXY])
    _, unowned = carriers_in(lists | {"Pods": [job, pod("plain")]})
    assert {ref.name: found.proxy_image for ref, found in unowned.items()} == {"job-x": PROXY["image"]}


def test_since_when_the_injector_is_in_force() -> None:
    """Ten minutes after the last change of its ConfigMap, whoever made it."""
    times = ("2026-11-25T03:59:30Z", "2026-11-25T02:00:00Z")
    fields = [{"manager": "istio-operator", "time": time} for time in times]
    assert in_force_since(changed_at([{"metadata": {"managedFields": fields}}])) == "2026-11-25T04:09:30Z"
    assert in_force_since(changed_at([{"metadata": {}}])) == in_force_since(changed_at([None])) == ""
