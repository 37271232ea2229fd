"""Dry runs: asked only where there is a doubt, few of them, and said where they cannot be had."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api_server import ApiServer, Reply
from sohistio.adapters.kubernetes.observe import observe
from sohistio.model.sidecar import RESTARTED_FOR, RESTARTED_UNDER, Injector
from sohistio.model.sidecars_compared import all_compared
from sohistio.model.state import ClusterState
from sohistio.plan.left_alone import NO_POD, NO_SIDECAR
from sohistio.postinstall import restarts

MAPS = "/api/v1/namespaces/istio-system/configmaps"
QUOTAS = "/api/v1/resourcequotas"
RECORD = f"{MAPS}/sohistio-record"
CHANGED, BEFORE, AFTER = "2026-11-27T10:00:00Z", "2026-11-27T09:00:00Z", "2026-11-27T10:10:01Z"
VALUES = json.dumps({"global": {"hub": "docker.io/istio", "tag": "1.31.1"}})
IMAGE = "docker.io/istio/proxyv2:1.31.1"
DIGEST = Injector("templates", VALUES, "mesh").digest
STATUS = {"sidecar.istio.io/status": json.dumps({"initContainers": ["istio-proxy"]})}
ISTIOD = {
    "metadata": {"name": "istiod", "namespace": "istio-system", "uid": "istiod", "labels": {"app": "istiod"}},
    "spec": {"replicas": 1, "template": {"metadata": {}, "spec": {"containers": []}}},
    "status": {"replicas": 1, "readyReplicas": 1},
}


def config_map(name: str, **data: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "managedFields": [{"time": CHANGED}]}, "data": data}


CONFIG = [config_map("istio-sidecar-injector", config="templates", values=VALUES), config_map("istio", mesh="mesh")]


def deployment(place: str, name: str, **annotations: str) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "namespace": place, "uid": f"{place}/{name}", "generation": 1},
        "spec": {
            "replicas": 1,
            "template": {
                "metadata": {"labels": {"app": "web"}, "annotations": annotations},
                "spec": {"containers": [{"name": "app", "image": "app:1"}]},
            },
        },
        "status": {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1},
    }


def pod(place: str, name: str, *, limit: str = "512Mi", created: str = BEFORE, image: str = IMAGE, **more: str) -> Any:
    """A running pod of Deployment place/name, injected."""
    proxy = {"name": "istio-proxy", "image": image, "resources": {"limits": {"memory": limit}}}
    return {
        "metadata": {
            "name": f"{name}-1",
            "namespace": place,
            "creationTimestamp": created,
            "labels": {"app": "web", "pod-template-hash": "1"},
            "annotations": STATUS | more,
            "ownerReferences": [
                {"kind": "ReplicaSet", "name": name, "uid": f"{place}/{name}", "controller": True}
                | {"blockOwnerDeletion": True}
            ],
        },
        "spec": {"containers": [{"name": "app", "image": "app:1"}], "initContainers": [proxy]},
        "status": {"phase": "Running"},
    }


class Cluster:
    """One that injects a limit of 512Mi, until a namespace is told otherwise."""

    def __init__(self, server: ApiServer, folder: Path) -> None:
        self.server = server
        self.api = server.api(folder)

    def looks(
        self, deployments: list[Any], pods: list[Any], istiod: Any = ISTIOD, **answers: Reply | list[Reply]
    ) -> ClusterState:
        places = {item["metadata"]["namespace"] for item in deployments}
        namespaces = [{"metadata": {"name": name, "labels": {"istio-injection": "enabled"}}} for name in places]
        self.server.shows(
            deployments=[istiod, *deployments], pods=pods, namespaces=namespaces, configmaps=copy.deepcopy(CONFIG)
        )
        for place in places:
            replies = answers.get(place, Reply(pod(place, "new"), 201))
            replies = [replies] if isinstance(replies, Reply) else replies
            self.server.answers("POST", f"/api/v1/namespaces/{place}/pods", *replies)
        return observe(self.api, dry_runs=True)

    @property
    def asked(self) -> list[Any]:
        return [asked for asked in self.server.asked if asked.method == "POST"]

    @property
    def extra(self) -> list[str]:
        """What a look without dry runs does not ask."""
        return [f"{a.method} {a.path}" for a in self.server.asked if a.method == "POST" or a.path == RECORD]


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with ApiServer() as server:
        yield Cluster(server, tmp_path)


def test_a_dry_run_is_a_pod_as_its_controller_makes_it(cluster: Cluster) -> None:
    cluster.looks([deployment("shop", "web", note="a")], [pod("shop", "web")])
    (asked,) = cluster.asked
    assert asked.query == {"dryRun": "All"}
    assert asked.body["metadata"] == {
        "generateName": "web-",
        "labels": {"app": "web", "pod-template-hash": "1"},
        "annotations": {"note": "a"},
        "ownerReferences": [{"kind": "ReplicaSet", "name": "web", "uid": "shop/web", "controller": True}],
    }
    assert asked.body["spec"] == {"containers": [{"name": "app", "image": "app:1"}]}


QUIET: dict[str, dict[str, str]] = {
    "created-since": {"created": AFTER},
    "of-a-restart-under-it": {RESTARTED_UNDER: DIGEST, "created": CHANGED},
    "opted-out": {"sidecar.istio.io/inject": "false"},
    "of-grpc": {"inject.istio.io/templates": "grpc-agent"},
}


@pytest.mark.parametrize("running", QUIET.values(), ids=QUIET)
def test_where_there_is_no_doubt_nothing_is_asked(cluster: Cluster, running: dict[str, str]) -> None:
    state = cluster.looks([deployment("shop", "web")], [pod("shop", "web", **running)])
    assert cluster.extra == []
    assert restarts(state, state.sidecar)[0] == []


def test_what_the_record_knows_to_be_current_is_not_asked_about(cluster: Cluster) -> None:
    known = {"schemaVersion": "1", "environment": "qa", "runs": [], "sidecars": {"under": DIGEST, "asOf": BEFORE}}
    cluster.server.answers("GET", RECORD, Reply({"data": {"record.json": json.dumps(known)}}))
    cluster.looks([deployment("shop", "web")], [pod("shop", "web", limit="1Gi")])
    assert cluster.extra == [f"GET {RECORD}"]


def test_a_rollout_under_way_brings_what_is_current_by_itself(cluster: Cluster) -> None:
    rolling = deployment("shop", "web")
    rolling["status"]["updatedReplicas"] = 0
    cluster.looks([rolling], [pod("shop", "web", limit="1Gi")])
    assert cluster.asked == []


@pytest.mark.parametrize(("arrives", "asked"), [(False, True), (True, False)])
def test_a_rollout_that_brings_up_no_pod_is_asked_about(cluster: Cluster, arrives: bool, asked: bool) -> None:
    """The API server may refuse its new pods: another restart would change nothing."""
    rolling = deployment("shop", "web")
    rolling["status"]["updatedReplicas"] = 0
    old, new = pod("shop", "web", image="docker.io/istio/proxyv2:1.30.5"), pod("shop", "web", created=AFTER)
    new["status"]["phase"] = "Pending"
    denied = Reply({"message": 'admission webhook "x.example.com" denied the request: no'}, 403)
    state = cluster.looks([rolling], [old, new] if arrives else [old], shop=denied)
    assert bool(cluster.asked) is asked
    assert [item.ref.name for item in restarts(state, state.sidecar)[0]] == ([] if asked else ["web"])


def test_a_thousand_workloads_none_is_restarted_for_nothing_and_21_dry_runs_tell(cluster: Cluster) -> None:
    """50 in each of 20 namespaces, of one template each; in the last the sidecars of two have another limit,
    and it is asked twice whether that is always so."""
    places = [f"n{number}" for number in range(20)]
    names = [(place, f"w{number}") for place in places for number in range(50)]
    deployments = [deployment(place, name) for place, name in names]
    pods = [pod(*at, limit="1Gi" if at in (("n19", "w7"), ("n19", "w8")) else "512Mi") for at in names]
    state = cluster.looks(deployments, pods)
    stale, left = restarts(state, state.sidecar)
    assert [str(workload.ref) for workload in stale] == ["Deployment n19/w7", "Deployment n19/w8"]
    assert (left, state.not_compared, len(cluster.asked)) == ([], (), 21)
    # The same look again, as before a run: what it asked is known.
    assert restarts(cluster.looks(deployments, pods), state.sidecar)[0] == stale
    assert len(cluster.asked) == 21


def test_templates_of_their_own_are_asked_about_each(cluster: Cluster) -> None:
    names = [f"w{number}" for number in range(5)]
    cluster.looks([deployment("shop", name, own=name) for name in names], [pod("shop", name) for name in names])
    assert sorted(asked.body["metadata"]["annotations"]["own"] for asked in cluster.asked) == names


def test_of_images_one_dry_run_tells_unless_something_rewrites_them(cluster: Cluster) -> None:
    names = [f"w{number}" for number in range(5)]
    deployments = [deployment("shop", name, own=name) for name in names]
    old = [pod("shop", name, image="docker.io/istio/proxyv2:1.30.5") for name in names]
    state = cluster.looks(deployments, old)
    assert (len(restarts(state, state.sidecar)[0]), len(cluster.asked)) == (5, 1)

    mirrored = {"image": "mirror.corp/proxyv2:1.31.1"}
    elsewhere = [deployment("mirrored", name, own=name) for name in names]
    rewriting = Reply(pod("mirrored", "new", **mirrored), 201)
    running = [pod("mirrored", name, **mirrored) for name in names]
    state = cluster.looks(elsewhere, running, mirrored=rewriting)
    assert (restarts(state, state.sidecar)[0], len(cluster.asked)) == ([], 1 + 5), (
        "an image that is rewritten, for ever"
    )


SILENCES = {
    "no-right": (
        403,
        'pods is forbidden: User "x" cannot create resource "pods" in API group "" in the namespace "shop"',
        "the right to create pods is missing, which a dry run needs (rbac/installer.yaml)",
    ),
    "webhook": (
        400,
        'admission webhook "w" does not support dry run',
        "an admission webhook takes no dry runs",
    ),
    "unknown": (
        422,
        "no such luck",
        "POST /api/v1/namespaces/shop/pods answered 422: no such luck",
    ),
}


def looked_at_twenty(cluster: Cluster, status: int, message: str) -> ClusterState:
    """One of them has an old image, of the others the settings are in doubt; none may be asked about."""
    names = [f"w{number}" for number in range(20)]
    pods = [pod("shop", name, limit="1Gi") for name in names[1:]]
    old = pod("shop", names[0], image="docker.io/istio/proxyv2:1.30.5")
    refused = Reply({"message": message}, status)
    return cluster.looks([deployment("shop", name, own=name) for name in names], [old, *pods], shop=refused)


@pytest.mark.parametrize(("status", "message", "reason"), SILENCES.values(), ids=SILENCES)
def test_what_cannot_be_asked_is_decided_by_the_image_and_said_once(
    cluster: Cluster, status: int, message: str, reason: str
) -> None:
    state = looked_at_twenty(cluster, status, message)
    assert state.not_compared == (f"Namespace shop: {reason}",)
    assert [workload.ref.name for workload in restarts(state, state.sidecar)[0]] == ["w0"]
    asked = {item.body["metadata"]["generateName"] for item in cluster.asked}
    assert len(asked) <= 8, "as many as were under way together"


FULL = 'pods "w" is forbidden: exceeded quota: q, requested: pods=1, used: pods={}, limited: pods=20'
REFUSALS = {
    "quota": (403, FULL.format(21), "the quota q leaves no room for a pod"),
    "pod-security": (403, 'pods "w" is forbidden: violates PodSecurity "baseline"', "Pod Security refuses such a pod"),
    "dead-webhook": (
        500,
        'Internal error occurred: failed calling webhook "x.example.com": failed to call webhook: connection refused',
        "the admission webhook x.example.com fails, so no pod can start there (failed to call webhook: connection "
        "refused): see `kubectl get mutatingwebhookconfigurations,validatingwebhookconfigurations`",
    ),
}


@pytest.mark.parametrize(("status", "message", "reason"), REFUSALS.values(), ids=REFUSALS)
def test_where_a_real_pod_would_be_refused_too_nothing_is_restarted(
    cluster: Cluster, status: int, message: str, reason: str
) -> None:
    state = looked_at_twenty(cluster, status, message)
    stale, left = restarts(state, state.sidecar)
    assert [(item.ref.name, item.reason) for item in left] == [("w0", f"{NO_POD}: {reason}")]
    assert (stale, state.not_compared, all_compared(state)) == ([], (f"Namespace shop: {reason}",), None)


def test_one_template_that_is_refused_holds_up_no_other(cluster: Cluster) -> None:
    names = ("bad", "good")
    deployments = [deployment("shop", name, own=name) for name in names]
    running = [pod("shop", name, image="docker.io/istio/proxyv2:1.30.5") for name in names]
    refusal = Reply({"message": 'pods "bad" is forbidden: violates PodSecurity "baseline"'}, 403)
    state = cluster.looks(deployments, running, shop=[refusal, Reply(pod("shop", "new"), 201)])
    stale, left = restarts(state, state.sidecar)
    assert ([workload.ref.name for workload in stale], [item.ref.name for item in left]) == (["good"], ["bad"])


def test_of_images_who_takes_old_pods_down_first_is_asked_about_in_any_case(cluster: Cluster) -> None:
    surging, recreated = deployment("shop", "a-surging", own="x"), deployment("shop", "recreated")
    recreated["spec"]["strategy"] = {"type": "Recreate"}
    old = [pod("shop", name, image="docker.io/istio/proxyv2:1.30.5") for name in ("a-surging", "recreated")]
    denied = Reply({"message": 'admission webhook "guard.example.com" denied the request: no'}, 400)
    state = cluster.looks([surging, recreated], old, shop=[Reply(pod("shop", "new"), 201), denied])
    stale, left = restarts(state, state.sidecar)
    assert [workload.ref.name for workload in stale] == ["a-surging"]
    refusal = "the admission webhook guard.example.com refuses such a pod (no)"
    assert [(item.ref.name, item.reason) for item in left] == [("recreated", f"{NO_POD}: {refusal}")]


def test_a_quota_without_room_for_all_new_sidecars_is_read_only_where_they_take_more(cluster: Cluster) -> None:
    full = {"limits.memory": "1Gi"}
    quota = {
        "metadata": {"name": "q", "namespace": "shop"},
        "spec": {"hard": full},
        "status": {"hard": full, "used": full},
    }
    cluster.server.answers("GET", QUOTAS, Reply({"items": [quota]}))
    less = cluster.looks([deployment("shop", "web")], [pod("shop", "web", limit="1Gi")])
    assert (len(restarts(less, less.sidecar)[0]), QUOTAS in {a.path for a in cluster.server.asked}) == (1, False)
    more = cluster.looks([deployment("shop", "api", own="x")], [pod("shop", "api", limit="256Mi")])
    stale, left = restarts(more, more.sidecar)
    assert (stale, [item.reason for item in left]) == (
        [],
        [f"{NO_POD}: the quota q has no room for the sidecars of all its pods (limits.memory: 256Mi more, 0Mi left)"],
    )


def test_a_quota_that_is_full_of_pods_holds_up_who_waits_for_a_new_one_before_an_old_one_goes(
    cluster: Cluster,
) -> None:
    surging, recreated = deployment("shop", "surging"), deployment("shop", "recreated", own="x")
    recreated["spec"]["strategy"] = {"type": "Recreate"}
    running = [pod("shop", name, image="docker.io/istio/proxyv2:1.30.5") for name in ("surging", "recreated")]
    full = Reply({"message": FULL.format(20)}, 403)
    state = cluster.looks([surging, recreated], running, shop=full)
    assert [workload.ref.name for workload in restarts(state, state.sidecar)[0]] == ["recreated"]


def test_without_an_istiod_nobody_is_asked_and_that_is_said(cluster: Cluster) -> None:
    away = copy.deepcopy(ISTIOD)
    away["status"] = {}
    state = cluster.looks([deployment("shop", "web")], [pod("shop", "web")], istiod=away)
    assert (cluster.asked, state.not_compared) == ([], ("istiod is not ready",))


def test_where_new_pods_get_no_sidecar_nothing_is_restarted(cluster: Cluster) -> None:
    plain = pod("shop", "new")
    plain["metadata"]["annotations"] = {}
    deployments = [deployment("shop", name, own=name) for name in ("other", "old")]
    running = [pod("shop", "other", limit="1Gi"), pod("shop", "old", image="docker.io/istio/proxyv2:1.30.5")]
    state = cluster.looks(deployments, running, shop=Reply(plain, 201))
    assert state.not_compared == ()
    stale, left = restarts(state, state.sidecar)
    assert stale == []
    assert {(item.ref.name, item.reason) for item in left} == {("other", NO_SIDECAR), ("old", NO_SIDECAR)}
    assert all_compared(state) is None


def test_a_namespace_that_is_about_to_be_labelled_gets_no_sidecars_yet(cluster: Cluster) -> None:
    bare = pod("late", "web")
    bare["metadata"]["annotations"] = {}
    del bare["spec"]["initContainers"]
    cluster.server.shows(
        deployments=[ISTIOD, deployment("late", "web")],
        pods=[bare],
        namespaces=[{"metadata": {"name": "late"}}],
        configmaps=copy.deepcopy(CONFIG),
    )
    state = observe(cluster.api, ("late",), dry_runs=True)
    assert [workload.ref.name for workload in restarts(state, state.sidecar)[0]] == ["web"]
    assert (state.passed_over, cluster.asked) == (frozenset(), [])


def test_a_proxy_that_somebody_took_out_is_found_although_its_restart_was_for_that_image(cluster: Cluster) -> None:
    """What remains of the injection are its annotations, and those of the restart."""
    stripped = pod("shop", "web", **{RESTARTED_FOR: IMAGE, RESTARTED_UNDER: DIGEST})
    del stripped["spec"]["initContainers"]
    state = cluster.looks([deployment("shop", "web")], [stripped])
    assert [workload.ref.name for workload in restarts(state, state.sidecar)[0]] == ["web"]
    # While it is taken out of new pods as well, a restart would change nothing.
    again = pod("shop", "api") | {"spec": stripped["spec"]}
    state = cluster.looks([deployment("shop", "api", own="x")], [again], shop=Reply(stripped, 201))
    assert restarts(state, state.sidecar)[0] == []


def test_a_pod_that_a_policy_told_to_stay_out_is_asked_about(cluster: Cluster) -> None:
    out = pod("shop", "web")
    out["metadata"]["labels"]["sidecar.istio.io/inject"] = "false"
    out["metadata"]["annotations"] = {}
    del out["spec"]["initContainers"]
    state = cluster.looks([deployment("shop", "web")], [out])
    assert [workload.ref.name for workload in restarts(state, state.sidecar)[0]] == ["web"]


def test_where_the_policy_still_does_so_it_is_nobodys_fault(cluster: Cluster) -> None:
    out = pod("shop", "web")
    out["metadata"]["labels"]["sidecar.istio.io/inject"] = "false"
    out["metadata"]["annotations"] = {}
    del out["spec"]["initContainers"]
    state = cluster.looks([deployment("shop", "web")], [out], shop=Reply(out, 201))
    stale, left = restarts(state, state.sidecar)
    assert (stale, [item.reason for item in left], state.passed_over) == ([], ["opted out of injection"], frozenset())
