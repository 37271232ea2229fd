"""Which sidecars a restart would change: a dry run decides, else the image; and no restart is for nothing twice."""

from __future__ import annotations

from dataclasses import replace

import pytest

from observed import HUB, pod, sidecar, state, workload
from sohistio.model.injected import SIDECAR, Change, Compared
from sohistio.model.restart_marks import restart_marks
from sohistio.model.restart_reason import RestartReason
from sohistio.model.sidecar import (
    RESTARTED_BARE,
    RESTARTED_FOR,
    RESTARTED_FOR_SETTINGS,
    RESTARTED_UNDER,
    Foreseen,
    Injector,
)
from sohistio.model.sidecars_compared import SidecarsCompared, all_compared
from sohistio.model.staleness import lacking, template_key
from sohistio.model.state import ObservedPod, Workload
from sohistio.plan.steps import RestartWorkloads
from sohistio.postinstall import restart_phase, restarts

LIVE = replace(sidecar(), live=True)
INJECTOR = Injector("templates", "values", "mesh")
LIMIT = Change("limits.memory", "512Mi", "1Gi")
IMAGE = Change("image", "mirror.corp/proxyv2:1.31.1", f"{HUB}/proxyv2:1.31.1")
OTHER = Change("proxyConfig.concurrency", "none", "4")
MIRRORED = "mirror.corp/proxyv2:1.31.1"


def compared(*changes: Change, digest: str = "given") -> Compared:
    return Compared(changes, digest)


@pytest.mark.parametrize(
    ("running", "found"),
    [
        pytest.param(pod(), (), id="current-by-its-image"),
        pytest.param(pod(compared=compared()), (), id="alike"),
        pytest.param(pod(compared=compared(LIMIT)), (LIMIT,), id="another-limit"),
        pytest.param(pod("", proxy_image=MIRRORED, compared=compared()), (), id="rewritten-in-dry-runs-as-well"),
        pytest.param(pod("", proxy_image=MIRRORED, compared=compared(IMAGE, LIMIT)), (IMAGE, LIMIT), id="both"),
        pytest.param(
            pod(
                "",
                proxy_image=MIRRORED,
                compared=compared(IMAGE, LIMIT),
                annotations={RESTARTED_FOR: f"{HUB}/proxyv2:1.31.1"},
            ),
            (LIMIT,),
            id="the-image-was-tried",
        ),
        pytest.param(
            pod(compared=compared(LIMIT), annotations={RESTARTED_FOR_SETTINGS: "given"}), (), id="settings-tried"
        ),
        pytest.param(
            pod(compared=compared(LIMIT), annotations={RESTARTED_FOR_SETTINGS: "earlier"}),
            (LIMIT,),
            id="other-settings-tried",
        ),
        pytest.param(
            pod("", proxy_image=MIRRORED, compared=compared(IMAGE), annotations={RESTARTED_FOR_SETTINGS: "given"}),
            (IMAGE,),
            id="settings-tried-and-the-image-not",
        ),
        pytest.param(
            pod(compared=compared(LIMIT), labels={"sidecar.istio.io/inject": "false"}), (), id="opted-out-is-not-asked"
        ),
        pytest.param(
            pod("1.30.5", annotations={"inject.istio.io/templates": "sidecar, grpc-agent"}), (), id="grpc-template"
        ),
        pytest.param(
            pod("1.30.5", annotations={"inject.istio.io/templates": "sidecar,ours"}),
            (Change("image", f"{HUB}/proxyv2:1.30.5", f"{HUB}/proxyv2:1.31.1"),),
            id="another-template",
        ),
    ],
)
def test_what_a_restart_would_change(running: ObservedPod, found: tuple[Change, ...]) -> None:
    assert lacking(workload(pods=(running,)), running, LIVE) == found


def test_of_another_configuration_a_dry_run_through_todays_webhook_says_nothing() -> None:
    running = pod(compared=compared(LIMIT))
    (change,) = lacking(workload(pods=(running,)), running, sidecar("1.31.2"))
    assert change.words == f"image {HUB}/proxyv2:1.31.1 → {HUB}/proxyv2:1.31.2"


FORESEEN = Foreseen("new", {workload().ref: (LIMIT, OTHER)})


@pytest.mark.parametrize(
    ("seen", "found"),
    [
        pytest.param(workload(pods=(pod(),)), (LIMIT, OTHER), id="foreseen"),
        pytest.param(workload(pods=(pod(compared=compared(LIMIT)),)), (LIMIT, OTHER), id="each-setting-once"),
        pytest.param(workload("api", pods=(pod(),)), (), id="of-another-workload"),
        pytest.param(workload(pods=(pod(annotations={RESTARTED_UNDER: "new"}),)), (), id="has-it-already"),
        pytest.param(
            workload(
                own_image="own:1", pods=(pod("", proxy_image="own:1", annotations={"sidecar.istio.io/status": ""}),)
            ),
            (),
            id="its-own-proxy",
        ),
    ],
)
def test_what_a_new_configuration_is_foreseen_to_change(seen: Workload, found: tuple[Change, ...]) -> None:
    assert lacking(seen, seen.pods[0], replace(sidecar(), live=True, foreseen=FORESEEN)) == found


def test_the_phase_says_why_once_for_all_that_share_it_and_keeps_what_is_foreseen() -> None:
    alike = [workload(name, pods=(pod(compared=compared(LIMIT)),)) for name in ("a", "b")]
    old = workload("old", pods=(pod("1.30.5"),))
    seen = state(sidecar=LIVE, workloads=(*alike, old, workload()))
    (phase,) = restart_phase(seen, replace(sidecar(), foreseen=FORESEEN))
    (step,) = phase.steps
    assert isinstance(step, RestartWorkloads)
    assert step.reasons == (
        RestartReason(LIMIT.words, (alike[0].ref, alike[1].ref)),
        RestartReason(f"image {HUB}/proxyv2:1.30.5 → {HUB}/proxyv2:1.31.1", (old.ref,)),
        RestartReason(f"{LIMIT.words}, {OTHER.words}", (workload().ref,)),
    )
    assert step.summary == "restart 4 workloads whose sidecar is not the mesh's"


def test_settings_that_somebody_else_decides_and_grpc_are_left_alone_with_the_reason() -> None:
    tried = workload("tried", pods=(pod(compared=compared(LIMIT), annotations={RESTARTED_FOR_SETTINGS: "given"}),))
    grpc = workload("grpc", pods=(pod("1.30.5", annotations={"inject.istio.io/templates": "grpc-agent"}),))
    to_restart, left = restarts(state(sidecar=LIVE, workloads=(tried, grpc)), sidecar())
    assert (to_restart, [item.reason for item in left]) == (
        [],
        [
            f"its pods do not have what they were restarted for ({LIMIT.words}): either something rewrites new pods "
            "(another restart would not help), or somebody changed the running ones by hand",
            "injection template grpc-agent: gRPC without a proxy is its people's to restart",
        ],
    )


def test_a_restart_notes_what_it_is_for() -> None:
    seen = state(sidecar=LIVE, injector=INJECTOR)
    drifted, old = workload(pods=(pod(compared=compared(LIMIT)),)), workload(pods=(pod("1.30.5"),))
    image = f"{HUB}/proxyv2:1.31.1"
    none = {RESTARTED_BARE: None}
    marks = {RESTARTED_FOR: image, RESTARTED_UNDER: INJECTOR.digest, RESTARTED_FOR_SETTINGS: "given"} | none
    assert restart_marks(drifted, seen) == marks
    assert restart_marks(old, seen) == marks | {RESTARTED_FOR_SETTINGS: None}
    alike = {RESTARTED_FOR: None, RESTARTED_UNDER: INJECTOR.digest, RESTARTED_FOR_SETTINGS: None} | none
    assert restart_marks(workload(), seen) == alike, "by the plan's word alone"


def test_who_has_no_sidecar_after_two_restarts_keeps_its_namespace_from_losing_more() -> None:
    image, gets_one = f"{HUB}/proxyv2:1.31.1", compared(Change(SIDECAR, "none", "proxyv2:1.31.1"))

    def bare(name: str, *more: ObservedPod, **annotations: str) -> Workload:
        return workload(name, pods=(pod("", compared=gets_one, annotations=annotations), *more))

    never, once = bare("never"), bare("once", **{RESTARTED_FOR: image})
    seen = state(sidecar=LIVE, injector=INJECTOR, workloads=(never, once))
    assert (restart_marks(never, seen)[RESTARTED_BARE], restart_marks(once, seen)[RESTARTED_BARE]) == (None, image)
    assert restarts(seen, LIVE)[0] == [never, once]

    marks = {RESTARTED_FOR: image, RESTARTED_BARE: image}
    twice, old, elsewhere = bare("twice", **marks), workload("old", pods=(pod("1.30.5"),)), bare("elsewhere")
    elsewhere = replace(elsewhere, ref=replace(elsewhere.ref, namespace="other"))
    stale, left = restarts(replace(seen, workloads=(twice, old, elsewhere)), LIVE)
    assert (stale, [item.ref for item in left]) == ([elsewhere], [twice.ref, old.ref])
    assert all(item.reason.endswith("Deployment shop/twice was restarted for one twice, and has none") for item in left)

    proven = bare("twice", pod(annotations={"sidecar.istio.io/status": "{}"}), **marks)
    assert restarts(replace(seen, workloads=(proven, old)), LIVE) == ([proven, old], []), "one of its pods has one now"


def test_the_marks_of_restarts_make_no_other_template() -> None:
    plain = workload(template={"metadata": {"labels": {"app": "web"}}, "spec": {"containers": []}})
    marked = {RESTARTED_UNDER: "a", "kubectl.kubernetes.io/restartedAt": "now"}
    template = {"metadata": {"labels": {"app": "web"}, "annotations": marked}, "spec": {"containers": []}}
    assert template_key(plain) == template_key(replace(plain, template=template))
    assert template_key(plain) != template_key(replace(plain, template=template | {"spec": {}}))


AT = "2026-11-27T22:00:00Z"


@pytest.mark.parametrize(
    ("seen", "kept"),
    [
        pytest.param((workload(pods=(pod(created=AT, compared=compared()),)),), True, id="alike"),
        pytest.param((workload(pods=(pod(created=AT, compared=compared(LIMIT)),)),), False, id="one-differs"),
        pytest.param((workload(pods=(pod("1.30.5", created=AT),)),), False, id="one-is-old"),
        pytest.param((workload(pods=(pod(created=AT),), rolling=True),), False, id="one-is-rolling"),
        pytest.param((), False, id="none"),
    ],
)
def test_what_is_kept_of_a_look(seen: tuple[Workload, ...], kept: bool) -> None:
    looked = state(sidecar=LIVE, injector=INJECTOR, workloads=seen)
    expected = SidecarsCompared(INJECTOR.digest, AT) if kept else None
    assert all_compared(looked) == expected
    assert all_compared(replace(looked, not_compared=("a quota",))) is None
    assert SidecarsCompared.of(expected and expected.document()) == expected
    if expected is not None:
        assert expected.covers(pod(created=AT), INJECTOR.digest)
        assert not expected.covers(pod(created="2026-11-27T22:00:01Z"), INJECTOR.digest)
        assert not expected.covers(pod(created=AT), "another")


@pytest.mark.parametrize("value", [None, 7, [], {}, {"under": 1, "asOf": AT}, {"under": "\ud800", "asOf": AT}])
def test_what_is_kept_and_cannot_be_read_is_asked_again(value: object) -> None:
    assert SidecarsCompared.of(value) is None
