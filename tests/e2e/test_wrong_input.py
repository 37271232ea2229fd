"""Wrong input, as users give it: one clear error, the right exit code, and nothing touched."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from accounts import account, kubeconfig_for, role
from refused import check_error, on, refused
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
