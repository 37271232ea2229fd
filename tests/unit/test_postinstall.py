"""Which workloads a restart touches, which it leaves alone and why."""

from __future__ import annotations

from dataclasses import replace

import pytest

from observed import budget, pod, sidecar, stale, state, workload
from sohistio.model.desired import DesiredMesh
from sohistio.model.mode import Mode
from sohistio.model.restart_reason import RestartReason
from sohistio.model.sidecar import RESTARTED_FOR, SidecarTemplate
from sohistio.model.state import ObjectRef, ObservedPod, Workload
from sohistio.model.versions import Version
from sohistio.modes.decide import Decision
from sohistio.modes.planner import Subject, make_plan
from sohistio.plan.changes import Changes
from sohistio.plan.plan import Phase
from sohistio.plan.steps import LeftAlone, RestartWorkloads
from sohistio.postinstall import beyond, foretold, needless, restart_phase, restarts

TODAY = sidecar("1.31.1")
IMAGE = TODAY.image_for({})
MIRRORED = "mirror.corp/istio/proxyv2:1.31.1"
INJECTED = {"sidecar.istio.io/status": "{}"}


@pytest.mark.parametrize(
    ("pods", "restarted"),
    [
        pytest.param((pod("1.31.1"),), False, id="current"),
        pytest.param((pod("1.30.5"),), True, id="old"),
        pytest.param((pod(""),), True, id="missing"),
        pytest.param((pod("1.31.1"), pod("1.30.5")), True, id="one-of-two-old"),
        pytest.param((), False, id="no-running-pod"),
        pytest.param((pod("", labels={"sidecar.istio.io/inject": "false"}),), False, id="opted-out-by-label"),
        pytest.param((pod("", annotations={"sidecar.istio.io/inject": "false"}),), False, id="opted-out-by-annotation"),
        pytest.param(
            (
                pod(
                    "1.30.5",
                    labels={"sidecar.istio.io/inject": "true"},
                    annotations={"sidecar.istio.io/inject": "false"},
                ),
            ),
            True,
            id="label-beats-annotation",
        ),
        pytest.param((pod("", host_network=True),), False, id="host-network-is-never-injected"),
        pytest.param(
            (pod("", proxy_image="own/proxy:7", annotations={"sidecar.istio.io/proxyImage": "own/proxy:7"}),),
            False,
            id="own-image",
        ),
        pytest.param(
            (pod("1.31.1-debug", annotations={"sidecar.istio.io/proxyImageType": "debug"}),), False, id="own-variant"
        ),
        pytest.param(
            (pod("1.31.1", annotations={"sidecar.istio.io/proxyImageType": "distroless"}),),
            True,
            id="variant-not-yet-there",
        ),
        pytest.param((pod("", proxy_image=f"{IMAGE}@sha256:0a1b"),), False, id="its-digest-pinned"),
        pytest.param((pod("", proxy_image=MIRRORED),), True, id="registry-rewritten-not-tried-yet"),
        pytest.param(
            (pod("", proxy_image=MIRRORED, annotations={RESTARTED_FOR: IMAGE}),), False, id="rewritten-after-a-restart"
        ),
        pytest.param(
            (pod("", proxy_image=MIRRORED, annotations={RESTARTED_FOR: "docker.io/istio/proxyv2:1.30.5"}),),
            True,
            id="rewritten-after-a-restart-for-another",
        ),
        pytest.param(
            (pod("1.30.5"), pod("", proxy_image=MIRRORED, annotations={RESTARTED_FOR: IMAGE})),
            True,
            id="an-old-pod-beside-a-rewritten-one",
        ),
    ],
)
def test_a_workload_is_restarted_when_a_running_pod_lacks_todays_sidecar(
    pods: tuple[ObservedPod, ...], restarted: bool
) -> None:
    to_restart, _ = restarts(state(workloads=(workload(pods=pods),)), TODAY)
    assert bool(to_restart) is restarted


ONE, TWO = (f"@sha256:{digit * 64}" for digit in "12")
PINNED = SidecarTemplate(TODAY.hub, TODAY.tag, IMAGE + ONE)


@pytest.mark.parametrize(
    ("mesh", "running", "tried", "restarted"),
    [
        pytest.param(PINNED, IMAGE, "", True, id="switched-on"),
        pytest.param(PINNED, IMAGE, IMAGE, True, id="switched-on-after-a-restart-for-the-tag"),
        pytest.param(PINNED, IMAGE, IMAGE + ONE, True, id="switched-off-in-between-and-on-again"),
        pytest.param(PINNED, IMAGE + ONE, "", False, id="pinned"),
        pytest.param(PINNED, IMAGE + TWO, "", True, id="another-pin"),
        pytest.param(PINNED, IMAGE + TWO, IMAGE + ONE, False, id="a-policy-pins-it-to-another"),
        pytest.param(TODAY, IMAGE + ONE, "", False, id="switched-off"),
        pytest.param(TODAY, IMAGE + ONE, IMAGE + ONE, False, id="switched-off-after-a-restart-for-the-pin"),
    ],
)
def test_restarts_where_digests_are_pinned(mesh: SidecarTemplate, running: str, tried: str, restarted: bool) -> None:
    annotations = {RESTARTED_FOR: tried} if tried else {}
    seen = state(workloads=(workload(pods=(pod("", proxy_image=running, annotations=annotations),)),), sidecar=mesh)
    to_restart, left = restarts(seen, mesh)
    assert bool(to_restart) is restarted
    assert all("1" * 13 not in item.reason for item in left), "digests are cut for people"
    if restarted and mesh is PINNED:
        (phase,) = restart_phase(seen, mesh)
        assert phase.steps[0].summary == f"restart 1 workload without the sidecar proxyv2:1.31.1@sha256:{'1' * 12}"


@pytest.mark.parametrize(
    ("left", "reason"),
    [
        pytest.param(stale(paused=True), "paused", id="paused"),
        pytest.param(stale(desired=0), "scaled to zero", id="going"),
        pytest.param(workload(desired=0, pods=()), "scaled to zero", id="zero"),
        pytest.param(stale(strategy="OnDelete"), "OnDelete", id="on-delete"),
        pytest.param(stale(strategy="Partitioned"), "partitioned", id="partitioned"),
        pytest.param(
            workload(pods=(pod("", labels={"sidecar.istio.io/inject": "false"}),)), "opted out", id="opted-out"
        ),
        pytest.param(stale(strategy="Recreate", max_unavailable=3), "allows 1", id="below-its-budget"),
    ],
)
def test_what_is_left_alone_is_listed_with_its_reason(left: Workload, reason: str) -> None:
    to_restart, listed = restarts(state(workloads=(left,), budgets=(budget(),)), TODAY)
    assert to_restart == []
    assert [item.ref for item in listed] == [left.ref]
    assert reason in listed[0].reason


@pytest.mark.parametrize(
    ("odd", "words"),
    [
        pytest.param(
            workload(own_image="own/proxy:7", pods=(pod("", proxy_image="own/proxy:7", annotations=INJECTED),)),
            f"its own template has the proxy image own/proxy:7, the mesh's is {IMAGE}",
            id="of-its-template",
        ),
        pytest.param(
            workload(pods=(pod("", proxy_image=MIRRORED, annotations={RESTARTED_FOR: IMAGE}),)),
            f"its pods run {MIRRORED}, although they were to get {IMAGE}: either something rewrites new pods "
            "(another restart would not help), or somebody changed the running ones by hand",
            id="rewritten",
        ),
        pytest.param(
            workload(pods=(pod("", annotations={RESTARTED_FOR: IMAGE}),)),
            f"its pods have no sidecar, although they were to get {IMAGE}: either something keeps it out "
            "(another restart would not help), or nothing injected when they started",
            id="never-injected",
        ),
    ],
)
def test_an_image_that_somebody_else_decides_is_left_alone_and_named(odd: Workload, words: str) -> None:
    to_restart, listed = restarts(state(workloads=(odd,)), TODAY)
    assert (to_restart, [item.reason for item in listed]) == ([], [words])
    if not odd.own_image:
        assert listed[0].todo.startswith(
            "Delete one such pod when it suits (`kubectl -n shop delete pod web-1`). If its "
        )
    newer, _ = restarts(state(workloads=(odd,)), sidecar("1.31.2"))
    assert bool(newer) is not bool(odd.own_image), "another version is tried once, but a template's image stays"


def test_a_template_with_its_own_proxy_image_gets_it_injected_once() -> None:
    plain = workload(own_image="own/proxy:7", pods=(pod("", proxy_image="own/proxy:7"),))
    assert restarts(state(workloads=(plain,)), TODAY)[0] == [plain]
    old = workload(own_image="own/proxy:8", pods=(pod("", proxy_image="own/proxy:7", annotations=INJECTED),))
    assert restarts(state(workloads=(old,)), TODAY)[0] == [old]


@pytest.mark.parametrize(
    ("created", "annotations", "restarted"),
    [
        ("2026-11-25T04:10:01Z", INJECTED, False),
        ("2026-11-25T04:10:01Z", {}, True),
        ("2026-11-25T04:09:59Z", INJECTED, True),
    ],
)
def test_without_our_annotation_the_time_tells(created: str, annotations: dict[str, str], restarted: bool) -> None:
    """GitOps may take the annotation away: pods injected since the injector has the image differ by somebody's will."""
    settled = replace(TODAY, since="2026-11-25T04:10:00Z")
    odd = workload(pods=(pod("", proxy_image=MIRRORED, created=created, annotations=annotations),))
    seen = state(workloads=(odd,), sidecar=settled)
    for wanted in (settled, TODAY):  # as it is in the cluster, and as the manifest has it
        assert bool(restarts(seen, wanted)[0]) is restarted
    assert restarts(seen, sidecar("1.31.2"))[0] == [odd], "another version's is not in force yet"


def test_old_sidecars_that_nothing_injects_any_more_are_listed() -> None:
    left = workload("left", pods=(pod("1.29.8"),))
    current = workload("current")
    canary = workload("canary", pods=(pod("1.29.8", annotations={"istio.io/rev": "canary"}),))
    gateway = workload("gateway", pods=(pod("1.29.8", labels={"sidecar.istio.io/inject": "false"}),))
    by_hand = workload("by-hand", pods=(pod("1.29.8"),), brings_proxy=True)
    old, new, of_job = (ObjectRef("Pod", "jobs", name) for name in ("old", "new", "nightly-x"))
    seen = state(
        workloads=(stale(),),
        carriers=(stale(), left, current, canary, gateway, by_hand),
        unowned_carriers={old: pod("1.29.8"), new: pod(), of_job: pod("1.29.8", job="nightly")},
    )
    to_restart, listed = restarts(seen, TODAY)
    assert to_restart == [stale()]
    assert [(item.ref, item.reason.rpartition(": ")[2]) for item in listed] == [
        (left.ref, "no label asks for one any more, so a restart would take it out"),
        (by_hand.ref, "its own template has it"),
        (old, "no Deployment, StatefulSet or DaemonSet owns it"),
        (of_job, "Job nightly owns it, and nothing can restart that"),
    ]


def test_pods_without_a_workload_are_listed() -> None:
    bare = ObjectRef("Pod", "shop", "debug")
    _, listed = restarts(state(unowned_pods=(bare,)), TODAY)
    assert [item.ref for item in listed] == [bare]


def test_a_budget_with_room_lets_the_restart_happen() -> None:
    to_restart, _ = restarts(state(workloads=(stale(max_unavailable=1),), budgets=(budget(headroom=1),)), TODAY)
    assert len(to_restart) == 1


def test_a_budget_of_another_namespace_does_not_count() -> None:
    elsewhere = budget(headroom=0, namespace="other")
    to_restart, _ = restarts(state(workloads=(stale(max_unavailable=1),), budgets=(elsewhere,)), TODAY)
    assert len(to_restart) == 1


def test_no_phase_when_nothing_is_stale() -> None:
    assert restart_phase(state(workloads=(workload(),)), TODAY) == ()


def test_the_phase_names_workloads_and_what_is_left() -> None:
    (phase,) = restart_phase(state(workloads=(stale(), stale("paused", paused=True))), TODAY)
    (step,) = phase.steps
    assert step.id == "sidecars/restart"
    assert "1 workload" in step.summary


def listed(phases: tuple[Phase, ...]) -> list[str]:
    return [
        ref.name
        for phase in phases
        for step in phase.steps
        if isinstance(step, RestartWorkloads)
        for ref in step.workloads
    ]


def test_the_phase_names_what_will_be_stale_by_then() -> None:
    ahead = workload("ahead")
    paused = workload("paused", paused=True, pods=(pod("1.30.5"),))
    coming = workload("coming", pods=(), arriving=(pod("1.30.5"),))
    seen = state(workloads=(ahead, paused, coming, stale()))
    assert listed(restart_phase(seen, TODAY)) == ["web"]
    assert listed(restart_phase(seen, TODAY, arriving=True)) == ["coming", "web"]
    earlier = {ahead.ref, paused.ref}  # a hop on the way gives `ahead` an older sidecar than it has now
    assert listed(restart_phase(seen, TODAY, earlier=earlier)) == ["ahead", "web"]
    assert listed(restart_phase(state(workloads=(ahead,)), TODAY, earlier={ahead.ref})) == ["ahead"]


def test_approved_workloads_that_are_not_restarted_are_told_by_why() -> None:
    """ "restart 5 workloads", then only 2 are: the others are accounted for."""
    refs = {name: ObjectRef("Deployment", "shop", name) for name in ("web", "api", "fresh", "paused", "gone")}
    settled = dict.fromkeys(ref for name, ref in refs.items() if name != "gone")
    lines = needless(
        refs.values(),
        [stale("web"), stale("api")],
        dict.fromkeys(settled, "none of its running pods lacks the current sidecar by now"),
        [LeftAlone(refs["paused"], "paused: its rollout is somebody's decision")],
        "it is gone",
    )
    assert lines == [
        "not restarted, none of its running pods lacks the current sidecar by now: Deployment shop/fresh",
        "not restarted, paused: its rollout is somebody's decision: Deployment shop/paused",
        "not restarted, it is gone: Deployment shop/gone",
    ]
    many = [ObjectRef("Deployment", "shop", f"web-{number:02}") for number in range(13)]
    (line,) = needless(many, [], {}, [], "it is gone")
    assert line.endswith("Deployment shop/web-09 and 3 more")
    assert needless([refs["web"]], [stale("web")], {}, [], "it is gone") == []


@pytest.mark.parametrize(
    ("because", "asked", "taken"),
    [
        pytest.param("limits.memory 1Gi → 2Gi", False, True, id="nobody-can-tell"),
        pytest.param("limits.memory 1Gi → 2Gi", True, False, id="a-dry-run-has-told"),
        pytest.param("image proxyv2:1.30.5 → proxyv2:1.31.1", False, False, id="its-image-tells"),
    ],
)
def test_the_plans_word_stands_where_no_dry_run_can_be_had(because: str, asked: bool, taken: bool) -> None:
    mine = workload(pods=(pod("1.31.1"),))
    seen = state(workloads=(mine,), uncompared=frozenset() if asked else frozenset({mine.ref}))
    step = RestartWorkloads("a", "b", (mine.ref,), reasons=(RestartReason(because, (mine.ref,)),))
    assert foretold(seen, step) == ([mine] if taken else [])


def test_what_a_plan_did_not_have_is_told_by_kind() -> None:
    deployments = [ObjectRef("Deployment", "late", name) for name in ("a", "b", "c")]
    assert beyond(deployments[:1]) == "1 more Deployment needs a restart that this plan did not have: Deployment late/a"
    assert beyond(deployments).startswith("3 more Deployments need a restart that this plan did not have: Deployment")
    mixed = [*deployments, ObjectRef("StatefulSet", "late", "db")] * 4
    assert beyond(mixed).startswith("16 more workloads need ")
    assert beyond(mixed).endswith(", Deployment late/b and 6 more")


def test_a_chain_restarts_at_each_hop_what_the_hop_before_made_old() -> None:
    """`ahead` runs the target's sidecar already: the first hop takes that away, so the last one has to know it."""
    hops = [DesiredMesh(Version.parse(text), "", (), (), sidecar(text)) for text in ("1.30.5", "1.31.1")]
    seen = state(workloads=(workload("ahead"), workload("old", pods=(pod("1.29.8"),))))
    decision = Decision(Mode.UPGRADE, (), Version(1, 29, 8))
    plan = make_plan(Subject("qa", "1.31.1", seen), decision, hops, Changes())
    steps = [step for step in plan.steps if isinstance(step, RestartWorkloads)]
    assert [(step.id, [ref.name for ref in step.workloads]) for step in steps] == [
        ("1.30.5/sidecars/restart", ["ahead", "old"]),
        ("sidecars/restart", ["ahead", "old"]),
    ]
