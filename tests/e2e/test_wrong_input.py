"""Wrong input, as users give it: one clear error, the right exit code, and nothing touched."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from accounts import account, kubeconfig_for, role
from release_mirror import HERE, ReleaseMirror, script, tar_gz
from sandboxes import CHECKOUT, LONGEST_COMMAND, Sandbox
from sohistio.model.versions import Version

pytestmark = pytest.mark.e2e

ARCHIVE = HERE.archive(Version(1, 31, 1))


@pytest.fixture(scope="module")
def empty(sandbox: Sandbox) -> Sandbox:
    """The sandbox with an empty cluster, for all tests here up to the ones that need a mesh."""
    sandbox.reset()
    return sandbox


@pytest.fixture(scope="module")
def meshed(empty: Sandbox) -> Sandbox:
    """The same with a mesh: its tests come last."""
    empty.with_mesh()
    return empty


@pytest.fixture
def mirror() -> Iterator[ReleaseMirror]:
    with ReleaseMirror() as running:
        yield running


@pytest.fixture
def environments(tmp_path: Path) -> Path:
    """A copy of the environments, to be spoilt."""
    return Path(shutil.copytree(CHECKOUT / "environments", tmp_path / "environments"))


def refused(sandbox: Sandbox, code: int, *arguments: str, **variables: str) -> str:
    """Run it; the one error it must end with. Nothing may have been written."""
    before = sandbox.writes()
    done = sandbox.run(*arguments, cwd=CHECKOUT, **variables)
    check_error(done, code)
    assert sandbox.writes() == before
    return done.stderr


def check_error(done: subprocess.CompletedProcess[str], code: int) -> None:
    said = done.stdout + done.stderr
    assert done.returncode == code, said
    assert "Traceback" not in said
    assert "has a bug" not in said
    lines = done.stderr.splitlines()
    assert sum(line.startswith("Error: ") for line in lines) == 1, said
    assert any(line.startswith("What to do: ") for line in lines), said
    assert lines[-1].startswith(f"(exit code {code}; docs/")


# --- the environment's files


def test_unknown_environment(empty: Sandbox) -> None:
    said = refused(empty, 2, "install", "--env", "staging")
    assert "There is no environment named 'staging'" in said
    assert "environments: dev, dr, int, local, prod, qa" in said


def test_misspelt_key(empty: Sandbox, environments: Path) -> None:
    file = environments / "local" / "environment.yaml"
    file.write_text(file.read_text().replace("ingressAddress:", "ingresAddress:"))
    line = 1 + next(n for n, text in enumerate(file.read_text().splitlines()) if text.startswith("ingresAddress"))
    said = refused(empty, 2, "install", "--env", "local", "--environments", str(environments))
    assert f"{file}:{line}: ingresAddress: unknown key" in said
    assert "ingressAddress" in said


def test_variable_that_is_not_set(empty: Sandbox) -> None:
    said = refused(empty, 2, "install", "--env", "qa", "--context", empty.context, SOHISTIO_IP_PREFIX="")
    assert "environments/qa/environment.yaml:5: ingressAddress:" in said
    assert "SOHISTIO_IP_PREFIX" in said


def test_operator_that_istioctl_does_not_take(empty: Sandbox, environments: Path) -> None:
    overlay = environments / "local" / "istiooperator.yaml"
    overlay.write_text("spec:\n  values:\n    pilot:\n      autoscaleMinimum: 3\n")
    said = refused(empty, 3, "install", "--env", "local", "--environments", str(environments))
    assert "istioctl 1.31.1 cannot render the IstioOperator of local" in said
    assert 'unknown field "autoscaleMinimum"' in said


# --- versions and istioctl


@pytest.mark.parametrize(
    ("text", "words"), [("latest", "'latest' is not an Istio version"), ("", "--version is empty")]
)
def test_version_that_is_none(empty: Sandbox, text: str, words: str) -> None:
    """An empty one is a pipeline's variable that is not set: it must not become the environment's."""
    said = refused(empty, 2, "install", "--env", "local", "--version", text)
    assert words in said


def test_version_that_the_mirror_does_not_have(empty: Sandbox) -> None:
    said = refused(empty, 3, "install", "--env", "local", "--version", "1.99.0")
    assert "The mirror has no istioctl 1.99.0" in said
    assert f"{empty.mirror}/1.99.0/" in said


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        pytest.param("checksum", "has the wrong checksum", id="wrong-checksum"),
        pytest.param("truncated", "is damaged or cut off", id="truncated"),
        pytest.param("climbing", "'../istioctl' leaves the archive", id="dot-dot"),
        pytest.param("other-version", "holds istioctl 1.30.5, not 1.31.1", id="another-version-inside"),
        pytest.param("not-pinned", "is not the one that", id="differs-from-the-lock"),
        pytest.param("no-checksum", "publishes no checksum", id="no-checksum"),
    ],
)
def test_archive_that_cannot_be_trusted(
    empty: Sandbox, mirror: ReleaseMirror, environments: Path, spoil: str, words: str
) -> None:
    bodies = {
        "truncated": tar_gz(("istioctl", script("1.31.1", 5000)))[:100],
        "climbing": tar_gz(("../istioctl", script("1.31.1"))),
        "other-version": tar_gz(("istioctl", script("1.30.5"))),
    }
    path = mirror.publish("1.31.1", body=bodies.get(spoil))
    if spoil == "checksum":
        mirror.files[f"{path}.sha256"].body = b"0" * 64
    if spoil == "no-checksum":
        del mirror.files[f"{path}.sha256"]
    if spoil == "not-pinned":
        (environments / "istioctl.lock").write_text(f"{'0' * 64}  {ARCHIVE}\n")
    cache = environments.parent / "cache"
    said = refused(
        empty,
        3,
        *("install", "--env", "local", "--environments", str(environments)),
        SOHISTIO_ISTIO_MIRROR=mirror.url,
        XDG_CACHE_HOME=str(cache),
    )
    assert words in said
    assert "Nothing was changed on the cluster" in said
    assert [file for file in cache.rglob("istioctl*") if file.is_file()] == []


def test_no_room_for_the_download(empty: Sandbox, tmp_path: Path) -> None:
    """A limit on the size of files (in blocks of 512 bytes) stands in for a full disk."""
    before = empty.writes()
    done = subprocess.run(
        ["/bin/sh", "-c", 'ulimit -f 8192; exec "$@"', "sh", *empty.command("install", "--env", "local")],
        env=empty.environ(XDG_CACHE_HOME=str(tmp_path)),
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=LONGEST_COMMAND,
        check=False,
    )
    check_error(done, 3)
    assert f"There is no room for istioctl in {tmp_path}" in done.stderr
    assert empty.writes() == before


@pytest.mark.parametrize(
    ("given", "words"),
    [
        pytest.param("istioctl", "is istioctl 1.31.1, but istioctl 1.30.5 is needed", id="another-version"),
        pytest.param("missing", "cannot be used as istioctl 1.30.5", id="missing"),
        pytest.param("text", "cannot be used as istioctl 1.30.5", id="no-program"),
    ],
)
def test_istioctl_given_by_hand(empty: Sandbox, istioctl: Path, tmp_path: Path, given: str, words: str) -> None:
    (tmp_path / "text").write_text("no program")
    path = istioctl if given == "istioctl" else tmp_path / given
    said = refused(empty, 3, "install", "--env", "local", "--version", "1.30.5", "--istioctl", str(path))
    assert words in said


# --- the cluster


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


def on(sandbox: Sandbox, kubeconfig: Path) -> tuple[str, ...]:
    """The flags that point an environment at the sandbox through this kubeconfig."""
    return ("--env", "local", "--context", sandbox.context, "--kubeconfig", str(kubeconfig))


def test_api_server_that_does_not_answer(empty: Sandbox, tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        server = f"https://127.0.0.1:{probe.getsockname()[1]}"
    kubeconfig = kubeconfig_for(empty, tmp_path, "any", server=server)
    said = refused(empty, 3, "install", *on(empty, kubeconfig))
    assert f"the API server {server} cannot be reached" in said
    assert "Connection refused" in said


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


def test_login_command_that_is_not_there(empty: Sandbox, tmp_path: Path) -> None:
    kubeconfig = kubeconfig_for(empty, tmp_path, "any")
    document = yaml.safe_load(kubeconfig.read_text())
    document["users"][0]["user"] = {
        "exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "no-such-login", "args": ["get-token"]}
    }
    kubeconfig.write_text(yaml.safe_dump(document))
    said = refused(empty, 3, "install", *on(empty, kubeconfig))
    assert f"the login of context {empty.context!r} failed" in said
    assert "no-such-login" in said


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


# --- flags


@pytest.mark.parametrize(
    ("flag", "value", "words"),
    [
        ("--timeout", "20", "--timeout '20' is not a duration"),
        ("--component-timeout", "0s", "--component-timeout '0s' is not a duration"),
        ("--timeout", "1h30m", "Give one such as 90s, 5m, 1h or 30d"),
    ],
)
def test_timeout_that_is_none(empty: Sandbox, flag: str, value: str, words: str) -> None:
    assert words in refused(empty, 2, "install", "--env", "local", flag, value)


@pytest.mark.parametrize("arguments", [("install",), ("install", "--env", "local", "--mode", "fast"), ("instal",)])
def test_flags_that_make_no_sense(empty: Sandbox, arguments: tuple[str, ...]) -> None:
    before = empty.writes()
    done = empty.run(*arguments)
    assert done.returncode == 2
    assert "Error: " in done.stderr
    assert "Traceback" not in done.stderr
    assert empty.writes() == before


def test_another_environment_confirmed(empty: Sandbox) -> None:
    said = refused(empty, 3, "install", "--env", "local", "--yes", "--confirm", "prod")
    assert "--confirm names 'prod', the environment is 'local'" in said


def test_upgrade_of_nothing(empty: Sandbox) -> None:
    said = refused(empty, 3, "install", "--env", "local", "--mode", "upgrade")
    assert "the cluster calls for mode install" in said


def test_restart_without_a_mesh(empty: Sandbox) -> None:
    said = refused(empty, 3, "restart", "--env", "local", "--yes")
    assert "there is no mesh" in said
    assert "sohistio install" in said


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("install", "--env", "staging"), 2),
        (("plan", "--env", "local", "--version", "latest"), 2),
        (("install", "--env", "local", "--timeout", "soon"), 2),
        (("plan", "--env", "local", "--version", "1.99.0"), 3),
        (("verify", "--env", "qa", "--context", "nowhere"), 2),
        (("restart", "--env", "local"), 3),
        (("install", "--env", "local", "--confirm", "prod"), 3),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_errors_as_json(empty: Sandbox, arguments: tuple[str, ...], code: int) -> None:
    before = empty.writes()
    done = empty.run(*arguments, "--output", "json")
    check_error(done, code)
    document = json.loads(done.stdout)
    assert document.keys() == {"schemaVersion", "kind", "error"}
    assert document["error"].keys() == {"what", "details", "todo", "docs", "exitCode"}
    assert document["error"]["exitCode"] == code
    assert f"Error: {document['error']['what']}." in done.stderr
    assert empty.writes() == before


# --- a cluster with a mesh


def test_install_over_a_mesh(meshed: Sandbox) -> None:
    said = refused(meshed, 3, "install", "--env", "local", "--version", "1.30.5", "--mode", "install")
    assert "--mode install does not fit: the cluster calls for mode reinstall" in said


def test_downgrade_that_nobody_asked_for(meshed: Sandbox) -> None:
    said = refused(meshed, 3, "install", "--env", "local", "--version", "1.30.5", "--yes")
    assert "a downgrade needs --mode reinstall" in said


@pytest.mark.parametrize(
    ("approval", "words"),
    [
        pytest.param((), "the environment's name was not confirmed", id="nothing"),
        pytest.param(("--yes",), "the environment's name was not confirmed", id="yes-only"),
        pytest.param(("--yes", "--confirm", "qa"), "--confirm names 'qa', the environment is 'prod'", id="another"),
        pytest.param(("--confirm", "prod"), "nobody approved it", id="name-only"),
    ],
)
def test_replacing_a_protected_mesh_without_its_name(meshed: Sandbox, approval: tuple[str, ...], words: str) -> None:
    said = refused(
        meshed,
        3,
        *("install", "--env", "prod", "--context", meshed.context, "--version", "1.30.5", "--mode", "reinstall"),
        *approval,
    )
    assert words in said
    if "--confirm" not in approval:
        assert "this plan uninstalls the old mesh first" in said
        assert "give --yes --confirm prod" in said


def test_user_who_may_only_look(meshed: Sandbox, tmp_path: Path) -> None:
    token = account(meshed.api, "looker")
    role(meshed.api, "looker", {"apiGroups": ["*"], "resources": ["*"]})
    looking = on(meshed, kubeconfig_for(meshed, tmp_path, token))
    said = refused(meshed, 3, "install", *looking, "--mode", "reinstall", SOHISTIO_ISTIO_MIRROR=meshed.mirror)
    assert (
        "permissions: you lack permission to create, update leases.coordination.k8s.io in istio-system (sohistio)"
        in said
    )
    assert meshed.writes("system:serviceaccount:default:looker") == []
