"""`sohistio namespaces apply` as a plan: what it has, what waits, what it refuses; and how it is verified. Tables."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from observed import EMPTY_CLUSTER, state
from sohistio.checks.namespaces import labels_in_place, secrets_in_place
from sohistio.model.mode import Mode
from sohistio.model.pull_secrets import ObservedPullSecret, PullSecretState
from sohistio.model.state import ClusterState, MeshDeployment, ObjectRef, ObservedNamespace
from sohistio.modes.namespaces import labels_of
from sohistio.modes.namespaces_plan import NamespaceFacts, NamespacesPlan, namespaces_plan
from sohistio.modes.planner import Subject
from sohistio.plan.diff import does_no_more
from sohistio.plan.plan import Plan

OWN, SHOP = ObservedNamespace("istio-system", injected=False), ObservedNamespace("shop", injected=False)
LABELLED = ObservedNamespace("shop", injected=True, injection="enabled", labelled_by_sohistio=True)
WEBHOOK = ObjectRef("MutatingWebhookConfiguration", "", "istio-sidecar-injector")
LISTED = ("shop",)


def istiod(ready: int) -> MeshDeployment:
    return MeshDeployment(ObjectRef("Deployment", "istio-system", "istiod"), "istiod", 3, ready, 3)


def secret(found: PullSecretState, place: str = "istio-system") -> ObservedPullSecret:
    return ObservedPullSecret(ObjectRef("Secret", place, "jfrogauth"), found)


def cluster(*namespaces: ObservedNamespace, **changes: Any) -> ClusterState:
    """Without a mesh; keyword arguments replace fields."""
    return state(**{**EMPTY_CLUSTER, "namespaces": namespaces} | changes)


def meshed(ready: int, *namespaces: ObservedNamespace) -> ClusterState:
    return state(namespaces=namespaces, leftovers=(WEBHOOK,), mesh_deployments=(istiod(ready),))


def planned(
    seen: ClusterState, *secrets: ObservedPullSecret, listed: tuple[str, ...] = LISTED, add_only: bool = False
) -> NamespacesPlan:
    facts = NamespaceFacts(listed, labels_of(seen, listed), secrets, add_only=add_only)
    return namespaces_plan(Subject("qa", "", seen), facts)


def ids(plan: Plan) -> list[str]:
    return [step.id for step in plan.steps]


@pytest.mark.parametrize(
    ("seen", "secrets", "steps"),
    [
        (cluster(SHOP), (), ["istio-system/create", "namespaces/label", "namespaces/verify"]),
        (
            cluster(SHOP),
            (secret(PullSecretState.MISSING),),
            ["istio-system/create", "pull-secrets/write", "namespaces/label", "namespaces/verify"],
        ),
        (cluster(OWN, SHOP), (), ["namespaces/label", "namespaces/verify"]),
        (cluster(OWN, LABELLED), (secret(PullSecretState.OLD),), ["pull-secrets/write", "namespaces/verify"]),
        (cluster(OWN, LABELLED), (secret(PullSecretState.CURRENT), secret(PullSecretState.FOREIGN, "shop")), []),
        (meshed(3, OWN, SHOP), (), ["namespaces/label", "namespaces/verify"]),
        (meshed(0, OWN, SHOP), (secret(PullSecretState.OLD),), ["pull-secrets/write", "namespaces/verify"]),
        (meshed(0, OWN, LABELLED), (), []),
    ],
)
def test_the_steps(seen: ClusterState, secrets: tuple[ObservedPullSecret, ...], steps: list[str]) -> None:
    plan = planned(seen, *secrets).plan
    assert (plan.mode, plan.refusal, ids(plan)) == (Mode.NAMESPACES, "", steps)
    assert plan.danger == ""


def test_a_namespace_that_loses_injection_does_so_with_a_dead_istiod_too() -> None:
    plan = planned(meshed(0, OWN, LABELLED), listed=()).plan
    assert ids(plan) == ["namespaces/unlabel", "namespaces/verify"]
    assert plan.danger == "takes sidecar injection away from namespace shop"


def test_labels_wait_for_istiod_where_its_webhook_is_there() -> None:
    found = planned(meshed(0, OWN, SHOP))
    assert found.plan.refusal == (
        "shop: not labelled while the injector's webhook is there and no istiod is ready, or no pod could start"
    )
    assert found.todo == "`sohistio install --env qa` brings istiod back, and labels them."
    assert ids(found.plan) == []
    with_secrets = planned(meshed(0, OWN, SHOP), secret(PullSecretState.OLD)).plan
    assert with_secrets.refusal == "", "what istiod may be waiting for is written"
    assert any(notice.startswith("shop: not labelled while") for notice in with_secrets.notices)


MEDIA = ObservedNamespace("media", injected=False)
WAITS = (
    "media: not labelled while the injector's webhook is there and no istiod is ready, or no pod could start. "
    "`sohistio install --env qa` brings istiod back, and labels them."
)
LEFT = (
    "shop: no longer in applicationNamespaces, and labelled still: "
    "`sohistio install --env qa` takes it off, with approval"
)


@pytest.mark.parametrize(
    ("seen", "secrets", "steps", "notices", "verified"),
    [
        (
            meshed(3, OWN, LABELLED, MEDIA),
            (),
            ["namespaces/label", "namespaces/verify"],
            [LEFT, "running pods of media get their sidecars when they are restarted: `sohistio restart --env qa`"],
            None,
        ),
        (meshed(0, OWN, LABELLED, MEDIA), (), [], [WAITS, LEFT], " (left to an install: media, shop)"),
        (
            meshed(0, OWN, MEDIA),
            (secret(PullSecretState.OLD),),
            ["pull-secrets/write", "namespaces/verify"],
            [WAITS],
            " (left to an install: media)",
        ),
        (cluster(OWN, LABELLED), (), [], [LEFT], " (not there yet: media) (left to an install: shop)"),
    ],
)
def test_with_add_only_the_rest_is_left_to_an_install(
    seen: ClusterState,
    secrets: tuple[ObservedPullSecret, ...],
    steps: list[str],
    notices: list[str],
    verified: str | None,
) -> None:
    plan = planned(seen, *secrets, listed=("media",), add_only=True).plan
    assert (plan.refusal, plan.danger, ids(plan)) == ("", "", steps)
    assert plan.reasons[-1] == "only what adds; what takes away, or waits for istiod, is left to an install"
    assert [notice for notice in plan.notices if "does not exist" not in notice] == notices
    (result,) = labels_in_place(seen, ("media",), add_only=True)
    if verified is None:
        assert (result.breaks, result.message) == (True, "not labelled: media")
    else:
        assert (result.breaks, result.message) == (False, f"as applicationNamespaces has them{verified}")


def test_with_add_only_what_somebody_set_is_not_overwritten_either() -> None:
    contrary = cluster(OWN, replace(SHOP, injection="disabled"))
    assert planned(contrary, add_only=True).plan.refusal == planned(contrary).plan.refusal != ""


def test_pods_that_run_already_get_their_sidecars_by_a_restart() -> None:
    restart = "running pods of shop get their sidecars when they are restarted: `sohistio restart --env qa`"
    assert restart in planned(meshed(3, OWN, SHOP)).plan.notices
    assert restart not in planned(cluster(OWN, SHOP)).plan.notices


@pytest.mark.parametrize(
    ("seen", "refusal"),
    [
        (cluster(replace(OWN, ending=True), SHOP), "namespace istio-system is being deleted"),
        (
            cluster(OWN, replace(SHOP, injection="disabled")),
            "namespace shop is to be injected, but carries istio-injection=disabled",
        ),
        (cluster(OWN, SHOP, helm_releases=("istiod",)), "sohistio cannot manage this mesh"),
    ],
)
def test_what_is_refused(seen: ClusterState, refusal: str) -> None:
    found = planned(seen)
    assert (found.plan.refusal, ids(found.plan)) == (refusal, [])
    assert found.todo


def test_what_the_lock_has_made_stays_in_the_plan_that_was_approved() -> None:
    approved = planned(cluster(SHOP)).plan
    seen = cluster(OWN, SHOP)
    facts = NamespaceFacts(LISTED, labels_of(seen, LISTED), was_missing=True)
    now = namespaces_plan(Subject("qa", "", seen), facts).plan
    assert now.digest() == approved.digest()
    assert does_no_more(now, approved)


@pytest.mark.parametrize(
    ("seen", "listed", "breaks", "message"),
    [
        (cluster(OWN, LABELLED), LISTED, False, "as applicationNamespaces has them"),
        (cluster(OWN), LISTED, False, "as applicationNamespaces has them (not there yet: shop)"),
        (cluster(OWN, SHOP), LISTED, True, "not labelled: shop"),
        (cluster(OWN, LABELLED), (), True, "still labelled: shop"),
        (
            meshed(0, OWN, SHOP),
            LISTED,
            True,
            "shop: not labelled while the injector's webhook is there and no istiod is ready, or no pod could start",
        ),
        (
            cluster(OWN, replace(SHOP, injection="disabled")),
            LISTED,
            True,
            "namespace shop is to be injected, but carries istio-injection=disabled",
        ),
    ],
)
def test_how_labels_are_verified(seen: ClusterState, listed: tuple[str, ...], breaks: bool, message: str) -> None:
    (result,) = labels_in_place(seen, listed)
    assert (result.name, result.breaks, result.message) == ("namespace-labels", breaks, message)
    assert bool(result.hint) is breaks


@pytest.mark.parametrize(
    ("secrets", "expected"),
    [
        ((), []),
        ((secret(PullSecretState.CURRENT), secret(PullSecretState.CURRENT, "shop")), ["passed"]),
        ((secret(PullSecretState.MISSING), secret(PullSecretState.CURRENT, "shop")), ["error"]),
        ((secret(PullSecretState.CURRENT), secret(PullSecretState.FOREIGN, "shop")), ["warning"]),
        ((secret(PullSecretState.OLD), secret(PullSecretState.FOREIGN, "shop")), ["error", "warning"]),
    ],
)
def test_how_pull_secrets_are_verified(secrets: tuple[ObservedPullSecret, ...], expected: list[str]) -> None:
    found = list(secrets_in_place(secrets))
    assert [item.result.value if item.result == "passed" else item.severity.value for item in found] == expected
