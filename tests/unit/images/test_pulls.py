"""Whether nodes can pull an environment's images: what is said of what a registry answered."""

from __future__ import annotations

from typing import Any

import pytest

from sohistio.images.needed import Needed
from sohistio.images.pulls import Pull, PullOutcome, is_on_this_machine, namespaces_of, platform_faults, pull_faults
from sohistio.model.fault import Severity
from sohistio.model.image import Image

HUB = "dtr.example.com/istio"
PILOT, PROXY = (Image.parse(f"{HUB}/{name}:1.31.1") for name in ("pilot", "proxyv2"))
ONE, TWO = (f"sha256:{digit * 64}" for digit in "12")
MESH, SHOP = ("istio-system",), ("istio-system", "shop")
MIRROR = "sohistio images mirror --env qa --version 1.31.1"


def said(*pulls: Pull) -> list[tuple[str, bool]]:
    """The messages, each with whether it stops a run."""
    return [(fault.message, fault.blocks) for fault in pull_faults(pulls, "jfrogauth", MIRROR)]


@pytest.mark.parametrize(
    ("pulls", "expected"),
    [
        pytest.param((Pull(PILOT, MESH, PullOutcome.THERE, digest=ONE),), [], id="there"),
        pytest.param((Pull(PILOT, MESH, PullOutcome.THERE, pin=ONE, digest=ONE),), [], id="as-pinned"),
        pytest.param(
            (Pull(PILOT, MESH, PullOutcome.THERE, pin=TWO, digest=ONE),),
            [(f"{PILOT} is sha256:{'1' * 12} there, sha256:{'2' * 12} in images.lock", True)],
            id="another-digest",
        ),
        pytest.param(
            (Pull(PROXY, MESH, PullOutcome.MISSING), Pull(PROXY, ("shop",), PullOutcome.MISSING)),
            [(f"{PROXY} is not there", True)],
            id="missing-is-said-once",
        ),
        pytest.param(
            (
                Pull(PILOT, MESH, PullOutcome.DENIED),
                Pull(PROXY, MESH, PullOutcome.DENIED),
                Pull(PROXY, ("a", "b"), PullOutcome.DENIED),
            ),
            [
                ("dtr.example.com refuses the login of Secret jfrogauth in istio-system for pilot, proxyv2", True),
                ("dtr.example.com refuses the login of Secret jfrogauth in a, b for proxyv2", True),
            ],
            id="refused-by-who-asks",
        ),
        pytest.param(
            (Pull(PROXY, ("shop",), PullOutcome.DENIED, has_login=False),),
            [
                (
                    "dtr.example.com gives proxyv2 to nobody without a login, and jfrogauth in shop has none for it",
                    True,
                )
            ],
            id="no-login-in-the-secret",
        ),
        pytest.param(
            (
                Pull(PILOT, MESH, PullOutcome.UNKNOWN, said="no answer"),
                Pull(PROXY, SHOP, PullOutcome.UNKNOWN, said="no answer"),
            ),
            [("dtr.example.com could not be asked from here: no answer", False)],
            id="not-reachable-from-here",
        ),
    ],
)
def test_what_is_said(pulls: tuple[Pull, ...], expected: list[tuple[str, bool]]) -> None:
    assert said(*pulls) == expected


def test_without_a_pull_secret_the_nodes_may_have_a_login() -> None:
    (fault,) = pull_faults([Pull(PILOT, MESH, PullOutcome.DENIED, has_login=False)], None, MIRROR)
    assert fault.severity is Severity.WARNING
    assert "istio.pullSecret" in fault.message


def test_what_is_missing_names_the_command() -> None:
    (fault,) = pull_faults([Pull(PILOT, MESH, PullOutcome.MISSING)], "jfrogauth", MIRROR)
    assert fault.hint == f"Run `{MIRROR}`."


def node(system: str, architecture: str) -> dict[str, Any]:
    return {"status": {"nodeInfo": {"operatingSystem": system, "architecture": architecture}}}


AMD, ARM = node("linux", "amd64"), node("linux", "arm64")


@pytest.mark.parametrize(
    ("platforms", "nodes", "expected"),
    [
        (("linux/amd64", "linux/arm64/v8"), [AMD, ARM], []),
        (("linux/amd64",), [AMD, ARM], [f"{PILOT} has no linux/arm64, and 1 node is of it"]),
        (("linux/arm64",), [AMD, AMD], [f"{PILOT} has no linux/amd64, and 2 nodes are of it"]),
        (("linux/amd64",), [AMD, node("windows", "amd64"), {}, {"status": {}}], []),
        ((), [ARM], []),
    ],
)
def test_platforms(platforms: tuple[str, ...], nodes: list[dict[str, Any]], expected: list[str]) -> None:
    pulls = [Pull(PILOT, place, PullOutcome.THERE, digest=ONE, platforms=platforms) for place in (MESH, ("shop",))]
    assert [fault.message for fault in platform_faults(pulls, nodes)] == expected


@pytest.mark.parametrize(
    ("used_by", "expected"),
    [
        (("Deployment istio-system/istiod",), MESH),
        (("Deployment edge/gateway", "injected pods", "injected gateways"), ("edge", "istio-system", "shop")),
        (("DaemonSet istio-system/ztunnel", "Deployment edge/gateway"), ("istio-system", "edge")),
    ],
)
def test_whose_pods_have_an_image(used_by: tuple[str, ...], expected: tuple[str, ...]) -> None:
    assert namespaces_of(Needed(PILOT, used_by), SHOP) == expected


@pytest.mark.parametrize(
    ("registry", "here"),
    [("127.0.0.1:5000", True), ("localhost", True), ("[::1]:5000", True), ("docker.io", False), ("10.0.0.4", False)],
)
def test_a_registry_on_this_machine(registry: str, here: bool) -> None:
    assert is_on_this_machine(registry) is here
