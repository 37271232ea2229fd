"""Which arguments istioctl is given, and which are refused: tables."""

from __future__ import annotations

import pytest

from sohistio.errors import RefusedError, UsageError
from sohistio.run.pass_on import check_arguments


@pytest.mark.parametrize(
    "line",
    [
        "proxy-status",
        "--help",
        "-h",
        "help install",
        "proxy-config cluster web-1.shop -o json",
        "proxy-status -n install",
        "analyze -A --color=false",
        "manifest generate -f -",
        "tag list",
        "tag generate prod --revision default",
        "x describe pod web-1 -nclouds",
        "x",
        "x --help",
        "-h x describe",
        "tag",
        "tag -h",
        "tag list set",
        "waypoint list -n shop",
        "waypoint generate",
        "x waypoint status",
        "manifest translate",
        "x injector list",
        "pc log web-1.shop --level debug",
        "ps",
        "authz check web-1",
        "validate -f a.yaml -- --context",
    ],
)
def test_what_is_passed_on(line: str) -> None:
    check_arguments(line.split(), "qa")


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("-n shop install", "-n"),
        ("--context other proxy-status", "--context"),
        ("proxy-status --context other", "--context"),
        ("proxy-status --context=other", "--context=other"),
        ("proxy-status --kubeconfig /tmp/x", "--kubeconfig"),
        ("proxy-status --kubeconfig=", "--kubeconfig="),
        ("proxy-status -c /tmp/x", "-c"),
        ("proxy-status -c/tmp/x", "-c/tmp/x"),
        ("analyze -Ac /tmp/x", "-Ac"),
    ],
)
def test_another_cluster_is_wrong_usage(line: str, word: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_arguments(line.split(), "qa")
    assert f"'{word}'" in caught.value.what
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("line", "command", "instead"),
    [
        ("install -y", "install", "sohistio install --env qa"),
        ("apply -f x.yaml", "apply", "sohistio install --env qa"),
        ("install --dry-run", "install", "sohistio plan --env qa"),
        ("upgrade", "upgrade", "sohistio install --env qa"),
        ("uninstall --purge", "uninstall", "sohistio uninstall --env qa"),
        ("x uninstall", "uninstall", "sohistio uninstall --env qa"),
        ("-h install --help=false -y", "install", "sohistio install --env qa"),
        ("manifest install -n shop", "manifest install", "sohistio install --env qa"),
        ("manifest apply", "manifest apply", "sohistio install --env qa"),
        ("tag set prod -i istio-system", "tag set", "sohistio login --env qa"),
        ("tag remove prod -y", "tag remove", "sohistio login --env qa"),
        ("tag delete prod", "tag delete", "sohistio login --env qa"),
        ("waypoint apply -n shop --enroll-namespace", "waypoint apply", "sohistio login --env qa"),
        ("x waypoint apply", "waypoint apply", "sohistio login --env qa"),
        ("waypoint delete --all", "waypoint delete", "sohistio login --env qa"),
        ("create-remote-secret --name c0", "create-remote-secret", "sohistio login --env qa"),
    ],
)
def test_what_changes_the_mesh_is_refused_with_what_to_use_instead(line: str, command: str, instead: str) -> None:
    with pytest.raises(RefusedError) as caught:
        check_arguments(line.split(), "qa")
    assert caught.value.what.startswith(f"`istioctl {command}` changes the mesh")
    assert instead in caught.value.todo
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    ("line", "what", "todo"),
    [
        ("nonsense web-1", "`istioctl nonsense` is not one of", "Use istioctl itself"),
        ("proxy-statu", "`istioctl proxy-statu` is not one of", "Did you mean proxy-status? "),
        ("uninstall-me", "`istioctl uninstall-me` is not one of", "sohistio login --env qa"),
        ("experimental wait", "`istioctl wait` is not one of", "Use istioctl itself"),
        ("waypoint lst", "`istioctl waypoint lst` is not one of", "Did you mean list? "),
        ("x workload entry configure -f x.yaml", "`istioctl workload` is not one of", "sohistio login --env qa"),
        ("tag -i istio-system set prod", "a flag comes before istioctl's command", "`tag list -n shop`"),
        ("waypoint -n list apply", "a flag comes before istioctl's command", "`tag list -n shop`"),
        ("x -n describe waypoint delete", "a flag comes before istioctl's command", "`tag list -n shop`"),
        ("-h -n describe install", "a flag comes before istioctl's command", "`tag list -n shop`"),
    ],
)
def test_what_is_not_known_to_only_look_is_refused(line: str, what: str, todo: str) -> None:
    with pytest.raises(RefusedError) as caught:
        check_arguments(line.split(), "qa")
    assert caught.value.what.startswith(what)
    assert todo in caught.value.todo
    assert ("Did you mean" in caught.value.todo) is ("Did you mean" in todo)
    assert caught.value.exit_code == 3
