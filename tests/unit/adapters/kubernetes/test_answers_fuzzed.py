"""Answers of what may be no API server: seen, or said to be not understood; never a crash, never a write."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from any_clusters import mesh_of
from api_server import LISTED, ApiServer, Reply
from damage import DEEP, damaged_bytes, damaged_documents
from raw_cluster import LISTS, ROOT
from sohistio.adapters.kubernetes.api import KubeApi, KubeError
from sohistio.adapters.kubernetes.compare import compare
from sohistio.adapters.kubernetes.live_objects import LiveObjects
from sohistio.adapters.kubernetes.mesh_config import mesh_config
from sohistio.adapters.kubernetes.observe import observe
from sohistio.adapters.kubernetes.requests import pause_before
from sohistio.errors import SohistioError
from sohistio.model.mode import Mode
from sohistio.model.restart_policy import RestartPolicy, Restraint
from sohistio.model.state import ClusterState
from sohistio.model.versions import Version
from sohistio.modes.decide import Asked, decide
from sohistio.modes.planner import Subject, make_plan, restart_plan
from sohistio.modes.skew import skew_faults
from sohistio.plan.changes import Changes

NOW = datetime(2026, 11, 28, 3, 0, tzinfo=UTC)
PODS = "/api/v1/namespaces/shop/pods"
ROOT_PATH = "/api/v1/namespaces/istio-system/configmaps/istio-ca-root-cert"
PATHS = {path.rpartition("/")[2]: path for path in LISTED}
FILLED = sorted(name for name, items in LISTS.items() if items)


@pytest.fixture
def good() -> Iterator[ApiServer]:
    with ApiServer() as server:
        server.shows(**LISTS)
        server.answers("GET", ROOT_PATH, Reply(ROOT))
        server.answers("POST", PODS, Reply(LISTS["pods"][0]))
        yield server


def look(server: ApiServer, api: KubeApi) -> ClusterState:
    """As the commands look, with dry runs; nothing is asked that could change something."""
    server.asked.clear()
    api.dry_runs.clear()
    seen = observe(api, ("shop",), dry_runs=True)
    for asked in server.asked:
        assert asked.method == "GET" or asked.query.get("dryRun") == "All", asked
    if not seen.unreadable:
        planned(seen)
    return seen


def planned(seen: ClusterState) -> None:
    """What is made of a look: a plan of another version, one of restarts, and their JSON."""
    for target in (Version(1, 31, 1), Version(1, 31, 2)):
        decision = decide(seen, Asked(target), Changes())
        if decision.mode is not Mode.UNKNOWN:
            skew_faults(seen, decision.installed, decision.hops, {}, in_place=True)
            subject = Subject("qa", str(target), seen, Restraint(RestartPolicy(), NOW))
            assert make_plan(subject, decision, [mesh_of(target)], Changes()).digest()
            assert restart_plan(subject, mesh_of(target)).digest()


@pytest.fixture
def api(good: ApiServer, tmp_path: Path) -> KubeApi:
    return good.api(tmp_path).within(5)


def test_what_is_damaged_was_understood(good: ApiServer, api: KubeApi) -> None:
    seen = look(good, api)
    assert seen.unreadable == ()
    assert [str(item.ref) for item in seen.workloads] == ["Deployment shop/web"]
    assert seen.workloads[0].pods[0].compared is not None, "by a dry run"


DAMAGED = st.sampled_from(FILLED).flatmap(lambda name: st.tuples(st.just(name), damaged_documents(LISTS[name])))


@settings(max_examples=60)
@given(DAMAGED)
def test_a_list_with_something_else_in_its_place(good: ApiServer, api: KubeApi, damaged: tuple[str, Any]) -> None:
    name, items = damaged
    good.answers("GET", PATHS[name], Reply({"items": items}))
    try:
        seen = look(good, api)
    finally:
        good.answers("GET", PATHS[name], Reply({"items": LISTS[name]}))
    for line in seen.unreadable:
        assert line.strip()


@settings(max_examples=30)
@given(st.sampled_from(FILLED), st.data())
def test_a_list_with_bytes_gone_wrong(good: ApiServer, api: KubeApi, name: str, data: st.DataObject) -> None:
    content = data.draw(damaged_bytes(json.dumps({"items": LISTS[name]}).encode()))
    good.answers("GET", PATHS[name], Reply(content))
    try:
        look(good, api)
    finally:
        good.answers("GET", PATHS[name], Reply({"items": LISTS[name]}))


# What people may write into a cluster: the API server takes all of it.
HOSTILE = st.sampled_from(
    [
        *("", "\0", "\ud800", "x" * 1000, "[" * DEEP, '{"a":' * DEEP, "null", "7", '"x"', "[]", "{}", "a: 2026-02-31"),
        *(
            '{"containers": 7}',
            '{"containers": [[]]}',
            '{"global": 7}',
            '{"global": {"hub": [], "tag": {}}}',
            "9" * 5_000,
        ),
    ]
)


@settings(max_examples=40)
@given(HOSTILE, HOSTILE, HOSTILE)
@example("[" * DEEP, '{"global":' * DEEP, "a: " + "[" * 60_000)
def test_texts_that_people_wrote_are_no_danger(
    good: ApiServer, api: KubeApi, annotation: str, values: str, mesh: str
) -> None:
    """They are read, or count as nothing; never is the cluster unreadable because of them."""
    pods, maps, shown = (deepcopy(LISTS[name]) for name in ("pods", "configmaps", "deployments"))
    for key in ("sidecar.istio.io/status", "istio.io/rev", "inject.istio.io/templates", "sidecar.istio.io/proxyImage"):
        pods[0]["metadata"]["annotations"][key] = annotation
    for key in ("sohistio.io/restart-windows", "sohistio.io/restart-freezes", "meta.helm.sh/release-name"):
        shown[2]["metadata"]["annotations"][key] = annotation
    maps[0]["data"]["values"], maps[1]["data"]["mesh"] = values, mesh
    good.shows(**LISTS | {"pods": pods, "configmaps": maps, "deployments": shown})
    good.answers("GET", "/api/v1/namespaces/istio-system/configmaps/istio", Reply(maps[1]))
    assert look(good, api).unreadable == ()
    assert isinstance(mesh_config(api), dict)


MANIFEST: list[dict[str, Any]] = [
    {"apiVersion": "apps/v1", "kind": "Deployment", **LISTS["deployments"][0]},
    {"apiVersion": "v1", "kind": "ConfigMap", **LISTS["configmaps"][1]},
    {
        "apiVersion": "telemetry.istio.io/v1",
        "kind": "Telemetry",
        "metadata": {"name": "x", "namespace": "istio-system"},
    },
]
KINDS = {"resources": [{"name": "telemetries", "kind": "Telemetry", "namespaced": True}]}
ANSWERS: dict[tuple[str, str], Any] = {
    ("GET", "/apis/apps/v1/deployments"): {"items": [MANIFEST[0]]},
    ("GET", "/api/v1/namespaces/istio-system/configmaps"): {"items": []},
    ("GET", "/api/v1/namespaces/istio-system/configmaps/istio"): MANIFEST[1],
    ("GET", "/apis/telemetry.istio.io/v1"): KINDS,
    ("GET", "/apis/telemetry.istio.io/v1/telemetries"): {"items": [MANIFEST[2]]},
    ("PATCH", "/apis/apps/v1/namespaces/istio-system/deployments/istiod"): MANIFEST[0],
    ("PATCH", "/api/v1/namespaces/istio-system/configmaps/istio"): MANIFEST[1],
}


@settings(max_examples=60)
@given(st.sampled_from(sorted(ANSWERS)), st.data())
@example(("GET", "/apis/telemetry.istio.io/v1"), None)
def test_the_meshs_own_objects_are_read_or_not_understood(
    good: ApiServer, api: KubeApi, place: tuple[str, str], data: st.DataObject | None
) -> None:
    for (method, path), answer in ANSWERS.items():
        good.answers(method, path, Reply(answer))
    good.answers(
        *place, Reply(data.draw(damaged_documents(ANSWERS[place])) if data else {"resources": [{"name": "x"}]})
    )
    good.asked.clear()
    try:
        live = LiveObjects(api, MANIFEST)
        compare(api, MANIFEST, live)
    except SohistioError as error:
        assert error.what  # noqa: PT017 - it may be understood as well
    for asked in good.asked:
        assert asked.method == "GET" or asked.query.get("dryRun") == "All" or asked.path.endswith("accessreviews")


@settings(max_examples=30)
@given(damaged_documents({"gitVersion": "v1.35.4", "minor": "35"}))
def test_a_version_that_is_none(good: ApiServer, api: KubeApi, document: Any) -> None:
    good.answers("GET", "/version", Reply(document))
    look(good, api)


def test_what_is_no_object_has_a_hint_and_no_secret(good: ApiServer, api: KubeApi) -> None:
    good.answers("GET", PATHS["deployments"], Reply({"items": [{"metadata": {"name": "web", "namespace": "shop"}}]}))
    (line,) = look(good, api).unreadable
    assert "is not as Kubernetes has it: KeyError: 'spec' (" in line
    good.answers("GET", PATHS["pods"], Reply({"items": [{"metadata": {"name": 7}}]}))
    with pytest.raises(KubeError, match="is no Kubernetes API server"):
        api.items(PATHS["pods"])


@given(st.text(), st.integers(0, 3))
@example("²", 0)
@example("9" * 400, 0)
@example("-1", 0)
def test_whatever_a_server_asks_for_the_pause_has_an_end(retry_after: str, attempt: int) -> None:
    assert 0 <= pause_before(retry_after, attempt) <= 10
