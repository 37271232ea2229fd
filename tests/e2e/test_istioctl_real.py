"""The real istioctl: what it generates, and what it says when it cannot go on."""

from __future__ import annotations

import socket
import stat
import time
from pathlib import Path

import pytest

from sohistio.adapters.releases.digest import sha256_of
from sohistio.adapters.releases.mirror import Mirror
from sohistio.adapters.releases.obtain import IstioctlSource, obtain_istioctl
from sohistio.errors import FailedError
from sohistio.istioctl import Istioctl, reported_version
from sohistio.model.kube_target import KubeTarget
from sohistio.model.revision import DEFAULT_REVISION

pytestmark = pytest.mark.e2e

OPERATOR = """\
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
spec:
  profile: {profile}
"""


@pytest.fixture
def tool(istioctl: Path) -> Istioctl:
    return Istioctl(istioctl, reported_version(istioctl))


@pytest.fixture
def nobody(tmp_path: Path) -> KubeTarget:
    """A cluster whose API server does not answer: the port is free."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(
        "apiVersion: v1\nkind: Config\ncurrent-context: x\n"
        f"clusters: [{{name: x, cluster: {{server: 'https://127.0.0.1:{port}'}}}}]\n"
        "contexts: [{name: x, context: {cluster: x, user: x}}]\n"
        "users: [{name: x, user: {}}]\n"
    )
    return KubeTarget(kubeconfig, "x")


def test_it_is_accepted_when_given(istioctl: Path, tool: Istioctl, tmp_path: Path) -> None:
    source = IstioctlSource(tmp_path, Mirror.parse("https://unused.invalid"), explicit=istioctl)
    assert obtain_istioctl(tool.version, source, print) == Istioctl(
        istioctl.absolute(), tool.version, sha256_of(istioctl)
    )


def test_a_manifest(tool: Istioctl) -> None:
    manifest = tool.manifest_generate(OPERATOR.format(profile="default"))
    assert "name: istio-ingressgateway" in manifest
    assert f"/proxyv2:{tool.version}" in manifest


@pytest.mark.parametrize(
    ("operator", "words"),
    [
        (OPERATOR.format(profile="nothing-like-it"), "nothing-like-it"),
        (OPERATOR.format(profile="default") + "  profil: demo\n", 'unknown field "profil"'),
        ("a: [", "YAML"),
    ],
)
def test_its_own_words_are_kept(tool: Istioctl, operator: str, words: str) -> None:
    with pytest.raises(FailedError) as caught:
        tool.manifest_generate(operator)
    assert "istioctl manifest generate failed" in caught.value.what
    assert words in "\n".join(caught.value.details)


def test_an_installation_that_reaches_nobody(tool: Istioctl, nobody: KubeTarget, tmp_path: Path) -> None:
    told: list[str] = []
    log = tmp_path / "install.log"
    operator = OPERATOR.format(profile="default")
    run = tool.start_install(operator, nobody, readiness_seconds=5, log=log, say=told.append)
    with run, pytest.raises(FailedError) as caught:
        run.check(60)
    assert caught.value.what == "istioctl install failed (exit code 1)"
    assert "connection refused" in "\n".join(caught.value.details)
    assert str(log) in caught.value.todo
    assert "connection refused" in log.read_text()
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert told


def test_an_uninstallation_that_reaches_nobody(tool: Istioctl, nobody: KubeTarget, tmp_path: Path) -> None:
    run = tool.start_uninstall(nobody, DEFAULT_REVISION, log=tmp_path / "log", say=print)
    with run, pytest.raises(FailedError, match="istioctl uninstall failed"):
        run.check(60)


def test_an_analysis_that_reaches_nobody_is_no_clean_bill(tool: Istioctl, nobody: KubeTarget) -> None:
    started = time.monotonic()
    with pytest.raises(FailedError, match="istioctl analyze") as caught:
        tool.analyze(nobody, timeout=60)
    assert "connection refused" in "\n".join(caught.value.details)
    assert time.monotonic() - started < 60
