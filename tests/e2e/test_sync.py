"""The standby stays true: configuration compared across two real clusters, and applied to the standby."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from json_schemas import check
from killing import custom_resource, killed_once, last_run, route
from sohistio.adapters.kubernetes.custom_resources import custom_resources
from sohistio.model.mode import Mode
from sohistio.model.sync import SYNCED_FROM
from sohistio.plan.ownership import SYNC_MANAGER
from sync_leftovers import what_a_finalizer_holds_is_said, what_the_crd_of_dr_lacks_is_said
from sync_refusals import (
    a_cluster_that_cannot_be_read_is_a_refusal,
    a_conflict_is_named_and_nothing_is_written,
    a_kind_that_prod_loses_deletes_nothing,
    a_standby_that_serves_is_not_overwritten,
    a_webhook_that_is_down_does_not_keep_from_comparing,
    a_wrong_pair_is_wrong_usage,
)
from sync_stories import (
    APPROVED,
    certificates_are_compared_and_never_copied,
    envoy_filter,
    live,
    objects_of_the_gateway_api_that_istio_serves,
    policy,
    the_shipped_roles_are_enough,
    web,
    what_is_not_there_to_take_an_object_is_reported,
    written,
)
from two_sandboxes import Pair, two_sandboxes

pytestmark = pytest.mark.e2e

TO_DR = {"substitutions": [{"from": "prod.example.com", "to": "dr.example.com"}]}
RULE = {"host": "web.shop.svc.cluster.local", "trafficPolicy": {"tls": {"mode": "ISTIO_MUTUAL"}}}


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with two_sandboxes(tmp_path_factory.mktemp("pair")) as pair:
        yield pair


@pytest.fixture
def pair(started: Pair) -> Pair:
    return started.emptied()


def test_differences_are_shown_applied_and_gone(pair: Pair) -> None:
    pair.declare("dr", sync=TO_DR)
    rule = custom_resource("DestinationRule", "shop", "web", RULE)
    pair.prod.has(marked_by_tools(web()), rule, policy(), envoy_filter())
    pair.dr.has(rule)
    before = written(pair)

    shown = pair.sync("--check")
    assert shown.returncode == 4, shown.stdout + shown.stderr
    for line in (
        "Changes: 3 created, 0 changed, 0 removed",
        "  + VirtualService shop/web",
        "  + EnvoyFilter istio-system/timeouts",
        "dr and prod differ: 3 created, 0 changed, 0 removed by a sync",
    ):
        assert line in shown.stdout
    refused = pair.sync("--yes")
    assert (refused.returncode, "give --yes --confirm dr" in refused.stderr) == (3, True), refused.stderr
    assert written(pair) == before, "a comparison writes nothing, and neither does what nobody approved"

    done = pair.sync(*APPROVED, "--output", "json")
    assert done.returncode == 0, done.stdout + done.stderr
    result = check(done.stdout, "Sync")
    check(json.dumps(result["run"]), "RunResult")
    assert (result["run"]["outcome"], result["lag"]["objects"], result["refusal"]) == ("done", 3, None)
    copy = live(pair.dr, web())
    assert copy["spec"]["hosts"] == ["web.dr.example.com"], "the standby's host, as declared"
    assert copy["metadata"]["labels"] == {"team": "shop", SYNCED_FROM: "prod"}, "no mark of Argo CD, Flux or Helm"
    assert "annotations" not in copy["metadata"]
    assert live(pair.dr, policy())["metadata"]["annotations"] == {"note": "team 😀"}
    assert {entry["manager"] for entry in copy["metadata"]["managedFields"]} == {SYNC_MANAGER}
    assert SYNCED_FROM not in live(pair.dr, rule)["metadata"]["labels"], "what was there is not sync's"
    assert pair.prod.writes() == before[0], "the source is only read"
    changed = [line for line in pair.dr.writes()[len(before[1]) :] if "istio.io" in line]
    assert len(changed) == 3
    assert all(line.startswith("patch ") and "force=false" in line for line in changed)

    writes = written(pair)
    again = pair.sync(*APPROVED)
    assert (again.returncode, "dr: up to date, nothing was written" in again.stdout) == (0, True), again.stderr
    equal = pair.sync("--check", "--output", "json")
    assert equal.returncode == 0, equal.stdout + equal.stderr
    comparison = check(equal.stdout, "Sync")
    run = last_run(pair.dr)
    assert run is not None
    assert (run.mode, run.outcome, comparison["equal"]) == (Mode.SYNC, "done", True)
    assert comparison["lag"] == {**comparison["lag"], "objects": 0, "since": run.ended}
    assert written(pair) == writes
    assert standby_status(pair) == (run.ended, 0)

    changes_follow_and_only_syncs_own_is_pruned(pair)


def marked_by_tools(obj: dict[str, Any]) -> dict[str, Any]:
    """As a GitOps tool's apply leaves it."""
    labels = {"app.kubernetes.io/instance": "shop", "kustomize.toolkit.fluxcd.io/name": "shop"}
    annotations = {"argocd.argoproj.io/tracking-id": "shop:x", "meta.helm.sh/release-name": "shop"}
    metadata = obj["metadata"]
    return obj | {"metadata": metadata | {"labels": metadata["labels"] | labels, "annotations": annotations}}


def standby_status(pair: Pair) -> tuple[str, int]:
    """When dr was last synced, and what that left."""
    shown = pair.dr.run("status", "--env", "dr", "--environments", str(pair.environments), "--output", "json")
    (row,) = check(shown.stdout, "Status")["environments"]
    return row["standby"]["lastSync"], row["standby"]["lastSyncLeft"]


def changes_follow_and_only_syncs_own_is_pruned(pair: Pair) -> None:
    of_dr = route("payments", "of-dr")
    pair.dr.has(of_dr)
    pair.prod.has(web(exportTo=["."]))
    pair.prod.api.delete(pair.prod.api.path_of(policy()))
    shown = pair.sync("--check")
    assert shown.returncode == 4
    assert 'spec.exportTo: (none) → ["."]' in shown.stdout
    assert "  - AuthorizationPolicy shop/allow" in shown.stdout
    assert "object: VirtualService payments/of-dr is only in dr, and sync did not make it" in shown.stdout
    done = pair.sync(*APPROVED)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "This plan changes the configuration of dr: 0 created, 1 changed, 1 removed." in done.stdout
    assert pair.dr.api.get(pair.dr.api.path_of(policy())) is None
    assert live(pair.dr, web())["spec"]["exportTo"] == ["."]
    assert live(pair.dr, of_dr)["metadata"]["labels"] == {"team": "payments"}, "what others made stays"
    run = last_run(pair.dr)
    assert run is not None
    assert run.backup, "what was changed and deleted is in a backup"
    checked = pair.sync("--check")
    assert (checked.returncode, "of-dr is only in dr" in checked.stdout) == (0, True), "nothing that a sync could do"
    pair.declare("dr", sync=TO_DR | {"exclude": [{"namespace": "payments", "name": "of-*"}]})
    checked = pair.sync("--check")
    assert (checked.returncode, "of-dr is only in dr" in checked.stdout) == (0, False)

    undone = pair.dr.run(
        "restore", "--env", "dr", "--environments", str(pair.environments), "--backup", run.backup, *APPROVED
    )
    assert undone.returncode == 0, undone.stdout + undone.stderr
    assert "AuthorizationPolicy shop/allow" in undone.stdout
    anew = pair.sync(*APPROVED)
    assert anew.returncode == 0, anew.stdout + anew.stderr
    assert "1 removed, as the other environment has it" in anew.stdout, "what a restore put back is still sync's own"


def test_files_are_compared_as_files(pair: Pair) -> None:
    pair.declare("dr", istio={"hub": "docker.io/other", "version": "1.30.5", "pullSecret": "x"})
    pair.declare("prod", ingressAddress="127.147.0.11")
    before = written(pair)
    shown = pair.sync("--check")
    assert shown.returncode == 4, shown.stdout + shown.stderr
    assert "× version: istio.version: prod has 1.31.1, dr has 1.30.5" in shown.stdout
    assert "environment.yaml of prod → dr: istio.hub: docker.io/istio → docker.io/other" in shown.stdout
    assert "istiooperator.yaml" not in shown.stdout.replace("environments/dr/istiooperator.yaml", "")
    assert written(pair) == before


def test_killed_in_the_middle_and_run_again(pair: Pair) -> None:
    routes = [route("shop", f"web-{number:03}", hosts=[f"web-{number}.example.com"]) for number in range(120)]
    pair.prod.has(*routes)

    def some_are_there() -> bool:
        return len(custom_resources(pair.dr.api)) > 5

    killed, said = killed_once(pair.dr, some_are_there, *pair.command(*APPROVED))
    there = len(custom_resources(pair.dr.api))
    assert killed, said
    assert 5 < there < 120, said
    interrupted = last_run(pair.dr)
    assert interrupted is not None
    assert (interrupted.outcome, interrupted.last_step) == ("running", "sync/apply")
    done = pair.sync(*APPROVED)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"create {120 - there} objects as in prod" in done.stdout
    assert len(custom_resources(pair.dr.api)) == 120
    assert pair.sync("--check").returncode == 0

    for item in routes:
        pair.prod.api.delete(pair.prod.api.path_of(item))
    refused = pair.sync(*APPROVED)
    assert refused.returncode == 3, refused.stdout + refused.stderr
    assert "prod has no configuration at all: 120 synced objects of dr are not deleted" in refused.stderr


def test_a_comparison_is_a_document(pair: Pair) -> None:
    done = pair.sync("--check", "--output", "json")
    comparison = check(done.stdout, "Sync")
    assert (done.returncode, comparison["equal"]) == (0, True)
    assert json.loads(done.stdout)["from"]["trustRoot"] != comparison["to"]["trustRoot"]
    assert [item["subject"] for item in comparison["differences"]] == ["trustRoot"]


def test_certificates(pair: Pair) -> None:
    certificates_are_compared_and_never_copied(pair)


def test_roles(pair: Pair, tmp_path: Path) -> None:
    the_shipped_roles_are_enough(pair, tmp_path)


def test_the_gateway_api(pair: Pair) -> None:
    objects_of_the_gateway_api_that_istio_serves(pair)


def test_conflicts(pair: Pair) -> None:
    a_conflict_is_named_and_nothing_is_written(pair)


def test_missing_places(pair: Pair) -> None:
    what_is_not_there_to_take_an_object_is_reported(pair)


def test_a_standby_that_serves(pair: Pair) -> None:
    a_standby_that_serves_is_not_overwritten(pair)


def test_istiod_is_down_in_dr(pair: Pair) -> None:
    a_webhook_that_is_down_does_not_keep_from_comparing(pair)


def test_what_is_wrong(pair: Pair, tmp_path: Path) -> None:
    a_wrong_pair_is_wrong_usage(pair)
    a_cluster_that_cannot_be_read_is_a_refusal(pair, tmp_path)


def test_what_a_finalizer_holds(pair: Pair) -> None:
    what_a_finalizer_holds_is_said(pair)


def test_another_crd_in_dr(pair: Pair) -> None:
    what_the_crd_of_dr_lacks_is_said(pair)


def test_the_kind_goes_last(pair: Pair) -> None:
    a_kind_that_prod_loses_deletes_nothing(pair)
