"""Version skew: what Istio, Kubernetes and the running sidecars allow together, and the table that says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from observed import pod, state, workload
from sohistio.environments.support import kubernetes_support
from sohistio.errors import UsageError
from sohistio.model.state import ClusterState, MeshDeployment, ObjectRef, ObservedPod
from sohistio.model.versions import Version
from sohistio.modes.skew import old_proxies, skew_faults

SUPPORT = {"1.29": (31, 35), "1.30": (32, 36), "1.31": (32, 36)}


def names(cluster: ClusterState, installed: str, *hops: str, in_place: bool = True) -> list[tuple[str, bool]]:
    """The rules that do not hold, and whether each is one that cannot be skipped."""
    before = Version.parse(installed) if installed else None
    faults = skew_faults(cluster, before, [Version.parse(hop) for hop in hops], SUPPORT, in_place=in_place)
    return [(fault.rule, not fault.can_be_skipped) for fault in faults]


@pytest.mark.parametrize(
    ("installed", "hops", "problems"),
    [
        pytest.param("", ["1.31.1"], [], id="a-new-mesh"),
        pytest.param("1.31.0", ["1.31.1"], [], id="a-patch"),
        pytest.param("1.30.5", ["1.31.1"], [], id="the-next-minor"),
        pytest.param("1.31.1", ["1.30.5"], [], id="one-minor-back"),
        pytest.param("1.29.8", ["1.31.1"], [("one-minor-at-a-time", True)], id="a-minor-skipped"),
        pytest.param("1.29.8", ["1.30.5", "1.31.1"], [], id="a-chain"),
        pytest.param("1.31.1", ["1.29.8"], [("one-minor-at-a-time", True)], id="two-minors-back"),
        pytest.param("1.30.5", ["1.31.0-rc.1"], [("prerelease", False)], id="a-pre-release"),
        pytest.param("1.31.1", ["1.32.0"], [("istio-minor-unknown", False)], id="a-minor-nobody-knows"),
        pytest.param(
            "1.31.1",
            ["1.33.0"],
            [("istio-minor-unknown", False), ("one-minor-at-a-time", True)],
            id="two-things-at-once",
        ),
    ],
)
def test_steps(installed: str, hops: list[str], problems: list[tuple[str, bool]]) -> None:
    assert names(state(), installed, *hops) == problems


def test_a_replacement_may_skip_minors() -> None:
    assert names(state(), "1.29.8", "1.31.1", in_place=False) == []


@pytest.mark.parametrize(
    ("kubernetes", "istio", "fits"),
    [
        ("1.31.9", "1.31.1", False),
        ("1.32.0", "1.31.1", True),
        ("1.36.3", "1.31.1", True),
        ("1.37.0", "1.31.1", False),
        ("1.31.9", "1.29.8", True),
        ("1.36.0", "1.29.8", False),
        ("", "1.31.1", True),  # not known: not guessed
    ],
)
def test_kubernetes(kubernetes: str, istio: str, fits: bool) -> None:
    expected = [] if fits else [("kubernetes-version", False)]
    assert names(state(kubernetes_version=kubernetes), "", istio) == expected


def test_every_station_of_a_chain_must_fit_kubernetes() -> None:
    (fault,) = skew_faults(
        state(kubernetes_version="1.36.0"),
        Version.parse("1.28.3"),
        [Version.parse("1.29.8"), Version.parse("1.30.5")],
        SUPPORT,
        in_place=True,
    )
    assert fault.rule == "kubernetes-version"
    assert fault.message == "Istio 1.29.8 supports Kubernetes 1.31 to 1.35, the cluster runs 1.36.0"


@pytest.mark.parametrize(
    ("sidecar", "target", "problems"),
    [
        pytest.param("1.30.5", "1.31.1", [], id="one-minor-older"),
        pytest.param("1.29.8", "1.31.1", [("proxy-skew", False)], id="two-minors-older"),
        pytest.param("", "1.31.1", [], id="no-sidecar"),
        pytest.param("latest", "1.31.1", [], id="no-version"),
    ],
)
def test_sidecars(sidecar: str, target: str, problems: list[tuple[str, bool]]) -> None:
    cluster = state(carriers=(workload(pods=(pod(sidecar),)),))
    assert names(cluster, "1.30.5", target) == problems


@pytest.mark.parametrize(
    ("proxy", "problems"),
    [
        pytest.param(pod("1.29.8-distroless"), 1, id="variant"),
        pytest.param(pod("", proxy_image="docker.io/istio/proxyv2:1.29.8@sha256:0a1b"), 1, id="digest"),
        pytest.param(pod("1.29.8", annotations={"istio.io/rev": "default"}), 1, id="of-this-mesh"),
        pytest.param(pod("1.29.8", annotations={"istio.io/rev": "canary"}), 0, id="of-another-revision"),
    ],
)
def test_sidecars_of_pods_that_nothing_owns(proxy: ObservedPod, problems: int) -> None:
    cluster = state(unowned_carriers={ObjectRef("Pod", "jobs", "nightly-x"): proxy})
    assert names(cluster, "1.30.5", "1.31.1") == [("proxy-skew", False)] * problems


def test_a_replacement_that_was_interrupted_is_not_refused_for_what_it_left() -> None:
    """Its istiod is there, its gateways and sidecars are not yet: only going on brings them along."""
    old = workload(pods=(pod("1.29.8"),))
    assert names(state(carriers=(old,)), "1.31.1", "1.31.1") == []
    assert [fault.rule for fault in old_proxies(state(carriers=(old,)), Version.parse("1.31.1"))] == ["proxy-skew"]


def test_the_meshs_own_gateways_are_no_old_sidecars() -> None:
    """Those that an interrupted replacement released carry no label of istioctl's."""
    gateway = workload("istio-ingressgateway", pods=(pod("1.29.8"),))
    mesh = (MeshDeployment(gateway.ref, "gateway", 3, 3, 3),)
    assert names(state(carriers=(gateway,), mesh_deployments=mesh), "1.30.5", "1.31.1") == []


def test_the_workloads_of_old_sidecars_are_named() -> None:
    cluster = state(carriers=(workload("b", pods=(pod("1.29.8"),)), workload("a", pods=(pod("1.29.8"),))))
    (fault,) = skew_faults(cluster, Version.parse("1.30.5"), [Version.parse("1.31.1")], SUPPORT, in_place=True)
    assert fault.message.endswith("sidecars of 1.29.8: Deployment shop/a, Deployment shop/b")


# --- the table of Kubernetes versions


def test_the_table_that_is_shipped(tmp_path: Path) -> None:
    table = kubernetes_support(tmp_path)
    assert {minor: table[minor] for minor in SUPPORT} == SUPPORT


def test_a_file_beside_the_environments_adds_and_overrides(tmp_path: Path) -> None:
    (tmp_path / "kubernetes-support.yaml").write_text('"1.31": ["1.32", "1.37"]\n"1.32": ["1.33", "1.37"]\n')
    table = kubernetes_support(tmp_path)
    assert (table["1.31"], table["1.32"], table["1.30"]) == ((32, 37), (33, 37), (32, 36))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('"1.31": ["1.32"]\n', "kubernetes-support.yaml:1: 1.31: expected"),
        ('"1.30": ["1.32", "1.36"]\n"1.31": 1.32\n', "kubernetes-support.yaml:2: "),
        ('"1.31": ["2.32", "1.36"]\n', ":1: 1.31: expected"),
        ('"newest": ["1.32", "1.36"]\n', ":1: newest: expected"),
        ('"1.31: [\n', "kubernetes-support.yaml"),
    ],
)
def test_a_file_that_is_not_valid_is_named_with_its_line(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "kubernetes-support.yaml").write_text(text)
    with pytest.raises(UsageError) as caught:
        kubernetes_support(tmp_path)
    assert any(words in line for line in (caught.value.what, *caught.value.details)), caught.value.details
