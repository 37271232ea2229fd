"""Stories of `sohistio sync` on what stays in the way: finalizers, another CRD. On the sandboxes of test_sync.py."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from json_schemas import check
from killing import custom_resource, route
from sohistio.adapters.kubernetes.api import KubeError
from sync_stories import APPROVED, live, policy
from two_sandboxes import NamedSandbox, Pair

DEFINITION = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/destinationrules.networking.istio.io"
RULE = custom_resource("DestinationRule", "shop", "lab", {"host": "web.shop.svc.cluster.local", "exportTo": ["."]})


def what_a_finalizer_holds_is_said(pair: Pair) -> None:
    """What is deleted and still there is neither reported as removed nor forgotten."""
    held = route("shop", "held")
    pair.prod.has(held, policy())
    assert pair.sync(*APPROVED).returncode == 0
    path, api = pair.dr.api.path_of(held), pair.dr.api
    api.merge_patch(path, {"metadata": {"finalizers": ["example.com/x"]}})
    pair.prod.api.delete(pair.prod.api.path_of(held))
    done = pair.sync(*APPROVED)
    assert done.returncode == 5, done.stdout + done.stderr
    assert "1 of 1 deleted objects is still there, and may be in force" in done.stderr
    assert "VirtualService shop/held (held by example.com/x)" in done.stderr
    checked = pair.sync("--check")
    assert checked.returncode == 4, checked.stdout + checked.stderr
    since = live(pair.dr, held)["metadata"]["deletionTimestamp"]
    assert f"is being deleted since {since} (held by example.com/x) in dr" in checked.stdout
    api.merge_patch(path, {"metadata": {"finalizers": []}})
    assert pair.sync("--check").returncode == 0


def what_the_crd_of_dr_lacks_is_said(pair: Pair) -> None:
    """First a field, of which the server says it with a 500; then the whole version, which keeps no other kind back."""
    pair.prod.has(RULE, policy())
    found = pair.dr.api.get(DEFINITION)
    assert found is not None
    try:
        _define(pair.dr, _without_field)
        _await(pair.dr, 500)
        checked = pair.sync("--check", "--output", "json")
        assert checked.returncode == 4, checked.stdout + checked.stderr
        comparison = check(checked.stdout, "Sync")
        (denied,) = (item for item in comparison["differences"] if item["subject"] == "denied")
        assert (denied["name"], denied["counts"]) == ("DestinationRule shop/lab", True)
        assert "has a field that the CRD of dr does not know" in denied["what"]
        assert ".spec.exportTo: field not declared in schema" in denied["what"]
        _define(pair.dr, _without_version)
        _await(pair.dr, 404)
        done = pair.sync(*APPROVED)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "dr does not serve DestinationRule.networking.istio.io in version v1, only in v1" in done.stdout
        assert "1 object of prod is not applied: DestinationRule shop/lab" in done.stdout
        assert live(pair.dr, policy())
    finally:
        _define(pair.dr, lambda versions: versions.__setitem__(slice(None), found["spec"]["versions"]))
        _await(pair.dr, 0)


def _without_field(versions: list[dict[str, Any]]) -> None:
    for version in versions:
        del version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["exportTo"]


def _without_version(versions: list[dict[str, Any]]) -> None:
    for version in versions:
        version["served"] = version["name"] != "v1"


def _define(box: NamedSandbox, change: Callable[[list[dict[str, Any]]], None]) -> None:
    definition = box.api.get(DEFINITION)
    assert definition is not None
    change(definition["spec"]["versions"])
    box.api.replace(DEFINITION, definition)


def _await(box: NamedSandbox, status: int) -> None:
    """Until an apply of the rule is answered so; 0 is success."""
    path = "/apis/networking.istio.io/v1/namespaces/shop/destinationrules/lab"
    end = time.monotonic() + 30
    while _answer(box, path) != status:
        assert time.monotonic() < end
        time.sleep(0.2)


def _answer(box: NamedSandbox, path: str) -> int:
    try:
        box.api.try_apply(path, RULE, "pipeline")
    except KubeError as error:
        return error.status
    return 0
