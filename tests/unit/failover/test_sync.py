"""How two sides' configurations differ, and what is applied: tables of objects."""

from __future__ import annotations

from typing import Any

import pytest

from sohistio.failover.sync import Named, compare, differing_keys, file_differences, portable
from sohistio.model.state import ObjectRef
from sohistio.model.sync import SYNCED_FROM, Substitution

HOSTS = (Substitution("prod.example.com", "dr.example.com"), Substitution("example.com", "example.org"))


def named(name: str = "web", namespace: str = "shop", *, labels: dict[str, str] | None = None, **spec: Any) -> Named:
    obj = {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": name, "namespace": namespace, "labels": labels or {}, "uid": "1", "resourceVersion": "2"},
        "spec": spec,
        "status": {"observed": 1},
    }
    return Named(ObjectRef("VirtualService", namespace, name), obj)


MADE = {SYNCED_FROM: "prod"}


@pytest.mark.parametrize(
    ("source", "target", "applied", "pruned", "waiting"),
    [
        pytest.param([], [], 0, 0, 0, id="nothing"),
        pytest.param([named(hosts=["a"])], [named(hosts=["a"])], 0, 0, 0, id="equal"),
        pytest.param([named(hosts=["a"])], [], 1, 0, 0, id="missing"),
        pytest.param([named(hosts=["a"])], [named(hosts=["b"])], 1, 0, 0, id="another-spec"),
        pytest.param([named(labels={"team": "a"})], [named()], 1, 0, 0, id="a-label-is-missing"),
        pytest.param([named()], [named(labels={"team": "a"})], 0, 0, 0, id="a-label-more"),
        pytest.param([named()], [named(labels=MADE)], 0, 0, 0, id="made-by-sync"),
        pytest.param([], [named(labels=MADE)], 0, 1, 0, id="made-by-sync-and-gone"),
        pytest.param([], [named()], 0, 0, 0, id="somebody-elses"),
        pytest.param([], [named(labels={SYNCED_FROM: "qa"})], 0, 0, 0, id="of-another-sync"),
        pytest.param([named(namespace="new")], [], 0, 0, 1, id="no-namespace"),
    ],
)
def test_what_is_done(source: list[Named], target: list[Named], applied: int, pruned: int, waiting: int) -> None:
    found = compare(source, target, {"shop"}, "prod", ())
    assert (len(found.apply), len(found.pruned), len(found.waiting)) == (applied, pruned, waiting)


def test_what_a_controller_makes_is_left_out() -> None:
    owned = named()
    metadata = {**owned.obj["metadata"], "ownerReferences": [{"name": "x"}]}
    assert compare([Named(owned.ref, {**owned.obj, "metadata": metadata})], [], {"shop"}, "prod", ()).apply == ()


def test_an_object_travels_without_what_its_cluster_wrote() -> None:
    found = portable(named(hosts=["prod.example.com"]).obj, "prod", HOSTS)
    assert found == {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": "web", "namespace": "shop", "labels": {SYNCED_FROM: "prod"}},
        "spec": {"hosts": ["dr.example.com"]},
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("prod.example.com", "dr.example.com"),
        ("api.example.com", "api.example.org"),
        ("a.prod.example.com,b.example.com", "a.dr.example.com,b.example.org"),
        ("other.net", "other.net"),
    ],
)
def test_substitutions(text: str, expected: str) -> None:
    """The longest first, and never within what another one has put there."""
    assert portable(named(http=[{"match": text}]).obj, "prod", HOSTS)["spec"] == {"http": [{"match": expected}]}


def test_a_substituted_object_is_equal_to_what_was_made_of_it() -> None:
    made = named(labels=MADE, hosts=["dr.example.com"])
    assert compare([named(hosts=["prod.example.com"])], [made], {"shop"}, "prod", HOSTS).apply == ()


def test_files_without_what_is_each_ones_own() -> None:
    one = {"spec": {"hub": "a", "gateways": [{"name": "in", "k8s": {"serviceAnnotations": {"ip": "1"}}}]}}
    other = {"spec": {"hub": "b", "gateways": [{"name": "in", "k8s": {"replicaCount": 0}}]}}
    assert file_differences(one, other) == ("spec.hub: a → b",)
    assert differing_keys(one, other) == (
        "spec.gateways[in].k8s.replicaCount: none → 0",
        'spec.gateways[in].k8s.serviceAnnotations: {"ip": "1"} → none',
        "spec.hub: a → b",
    )
