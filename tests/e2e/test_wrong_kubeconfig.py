"""Kubeconfigs that cannot be used, API servers that do not answer, logins that fail: one error, and nothing touched."""

from __future__ import annotations

import json
import socket
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from accounts import account, kubeconfig_for, role
from refused import on, refused
from release_mirror import ReleaseMirror
from sandboxes import Sandbox

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def empty(sandbox: Sandbox) -> Sandbox:
    """The sandbox with an empty cluster."""
    sandbox.reset()
    return sandbox


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param(None, "there is no kubeconfig at", id="missing"),
        pytest.param("{{{", "is no kubeconfig", id="no-yaml"),
        pytest.param("just text", "is no kubeconfig", id="text"),
        pytest.param("", "cannot be used", id="empty"),
        pytest.param("contexts: [{name: sohistio-local}]", "cannot be used", id="half"),
        pytest.param("\x00", "is no kubeconfig", id="binary"),
    ],
)
def test_kubeconfig_that_is_none(empty: Sandbox, tmp_path: Path, text: str | None, words: str) -> None:
    path = tmp_path / "kubeconfig"
    if text is not None:
        path.write_text(text)
    said = refused(empty, 2, "install", "--env", "qa", "--context", empty.context, "--kubeconfig", str(path))
    assert words in said
    assert str(path) in said


def test_kubeconfig_without_the_context(empty: Sandbox) -> None:
    said = refused(empty, 2, "install", "--env", "qa", "--kubeconfig", str(empty.kubeconfig))
    assert "has no context 'aks-qa'" in said
    assert f"it has: {empty.context}" in said


def test_the_current_context_is_never_used(empty: Sandbox) -> None:
    """It may be any cluster: the environment, or --context, names it."""
    said = refused(empty, 3, "install", "--env", "local", "--kubeconfig", str(empty.kubeconfig))
    assert "another cluster must be named" in said
    assert "--context" in said


def test_api_server_that_does_not_answer(empty: Sandbox, tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        server = f"https://127.0.0.1:{probe.getsockname()[1]}"
    kubeconfig = kubeconfig_for(empty, tmp_path, "any", server=server)
    said = refused(empty, 3, "install", *on(empty, kubeconfig))
    assert f"the API server {server} cannot be reached" in said
    assert "Connection refused" in said


def test_http_to_an_api_server(empty: Sandbox, tmp_path: Path) -> None:
    server = yaml.safe_load(empty.kubeconfig.read_text())["clusters"][0]["cluster"]["server"]
    kubeconfig = kubeconfig_for(empty, tmp_path, "any", server=server.replace("https://", "http://"))
    said = refused(empty, 3, "install", *on(empty, kubeconfig))
    assert "the API server speaks TLS, and is asked without it" in said
    assert "https:// in place of http://" in said


def test_api_server_with_another_certificate(empty: Sandbox, tmp_path: Path) -> None:
    kubeconfig = kubeconfig_for(empty, tmp_path, "any")
    document = yaml.safe_load(kubeconfig.read_text())
    del document["clusters"][0]["cluster"]["certificate-authority-data"]
    kubeconfig.write_text(yaml.safe_dump(document))
    said = refused(empty, 3, "install", *on(empty, kubeconfig))
    assert "no trusted TLS connection" in said
    assert "certificate verify failed" in said


def test_something_else_than_an_api_server(empty: Sandbox, tmp_path: Path) -> None:
    with ReleaseMirror() as page:
        page.files["/releases/version"] = page.files["/version"] = page.answer("/")
        page.files["/version"].status, page.files["/version"].body = 200, b"<html>Please log in</html>"
        kubeconfig = kubeconfig_for(empty, tmp_path, "any", server=f"http://127.0.0.1:{page.port}")
        said = refused(empty, 3, "install", *on(empty, kubeconfig))
    assert "is no Kubernetes API server" in said
    assert "Please log in" in said


def test_wrong_token(empty: Sandbox, tmp_path: Path) -> None:
    said = refused(empty, 3, "install", *on(empty, kubeconfig_for(empty, tmp_path, "wrong")))
    assert "rejects the credentials (401 Unauthorized)" in said


@pytest.mark.parametrize("user", [None, {"username": "ada", "password": "x"}], ids=["nothing", "password"])
def test_user_without_a_login(empty: Sandbox, tmp_path: Path, user: dict[str, str] | None) -> None:
    assert "Nobody logged in" in refused(empty, 3, "install", *on(empty, with_user(empty, tmp_path, user)))


def test_expired_token(empty: Sandbox, tmp_path: Path) -> None:
    token = account(empty.api, "late")
    valid = kubeconfig_for(empty, tmp_path, signed_anew(empty, token, time.time() + 600))
    assert "forbidden" in refused(empty, 3, "install", *on(empty, valid)), "the signature is good"
    expired = kubeconfig_for(empty, tmp_path, signed_anew(empty, token, time.time() - 60))
    assert "rejects the credentials (401 Unauthorized)" in refused(empty, 3, "install", *on(empty, expired))


def signed_anew(sandbox: Sandbox, token: str, expires: float) -> str:
    """A service account's token with another end, signed with the sandbox's own key."""

    def encoded(data: bytes) -> str:
        return urlsafe_b64encode(data).rstrip(b"=").decode()

    def decoded(text: str) -> dict[str, object]:
        found: dict[str, object] = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        return found

    head, body, _ = token.split(".")
    claims = decoded(body) | {"exp": int(expires)}
    signed = f"{head}.{encoded(json.dumps(claims).encode())}"
    key = load_pem_private_key((sandbox.folder / "service-accounts.key").read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(SHA256())))
    return f"{signed}.{encoded(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def with_user(sandbox: Sandbox, folder: Path, user: dict[str, Any] | None) -> Path:
    kubeconfig = kubeconfig_for(sandbox, folder, "any")
    document = yaml.safe_load(kubeconfig.read_text())
    document["users"][0]["user"] = user
    kubeconfig.write_text(yaml.safe_dump(document))
    return kubeconfig


def logging_in_by(sandbox: Sandbox, folder: Path, command: str, *arguments: str) -> Path:
    login = {"apiVersion": "client.authentication.k8s.io/v1", "command": command, "args": list(arguments)}
    return with_user(sandbox, folder, {"exec": login})


def test_login_command_that_is_not_there(empty: Sandbox, tmp_path: Path) -> None:
    said = refused(empty, 3, "install", *on(empty, logging_in_by(empty, tmp_path, "no-such-login", "get-token")))
    assert f"the login of context {empty.context!r} failed" in said
    assert "no-such-login" in said


def test_login_command_that_takes_its_time(empty: Sandbox, tmp_path: Path) -> None:
    """Whoever waits is told for what, and of what came of it."""
    slow = on(empty, logging_in_by(empty, tmp_path, "sleep", "3"))
    said = refused(empty, 3, "install", *slow)
    assert said.startswith(f"waiting for the login of context {empty.context}\n"), said
    assert "its command did not print an ExecCredential" in said
    shown = empty.run("status", *slow)
    assert shown.returncode == 1
    assert shown.stderr == "no answer yet from local; each has 90 s\n"
    assert "its command did not print an ExecCredential" in shown.stdout


def test_user_who_may_not_list_deployments(empty: Sandbox, tmp_path: Path) -> None:
    token = account(empty.api, "nosy")
    role(
        empty.api,
        "nosy",
        {"apiGroups": [""], "resources": ["*"]},
        {"apiGroups": ["apps"], "resources": ["statefulsets", "daemonsets", "replicasets"]},
        {"apiGroups": ["policy", "admissionregistration.k8s.io", "coordination.k8s.io"], "resources": ["*"]},
    )
    said = refused(empty, 3, "install", *on(empty, kubeconfig_for(empty, tmp_path, token)))
    assert "the cluster could not be read" in said
    assert "Deployments: " in said
    assert "nosy" in said
    assert "StatefulSets: " not in said
    assert empty.writes("system:serviceaccount:default:nosy") == []
