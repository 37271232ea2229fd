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
        "validate -f a.yaml -- --context",
        "uninstall-me",
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
        ("manifest -n shop install", "manifest install", "sohistio install --env qa"),
        ("manifest apply", "manifest apply", "sohistio install --env qa"),
        ("tag -i istio-system set prod", "tag set", "sohistio login --env qa"),
        ("tag remove prod -y", "tag remove", "sohistio login --env qa"),
        ("tag delete prod", "tag delete", "sohistio login --env qa"),
    ],
)
def test_what_changes_the_mesh_is_refused_with_what_to_use_instead(line: str, command: str, instead: str) -> None:
    with pytest.raises(RefusedError) as caught:
        check_arguments(line.split(), "qa")
    assert caught.value.what.startswith(f"`istioctl {command}` changes the mesh")
    assert instead in caught.value.todo
    assert caught.value.exit_code == 3
