"""Logins: from variables, files of docker and podman, and their credential helpers; shown nowhere."""

from __future__ import annotations

import json
import os
import signal
import time
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from sohistio.adapters.registry.logins import (
    DOCKER_HUB_KEY,
    PASSWORD,
    USERNAME,
    Login,
    auth_file,
    login_of_files,
    login_of_variables,
)
from sohistio.errors import RefusedError

HUB = "dtr.example.com/istio"


def entry(name: str) -> dict[str, str]:
    return {"auth": b64encode(f"{name}:s3cret-{name}".encode()).decode()}


def write(path: Path, **config: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(config))
    return path


def test_the_first_file_that_has_one_is_taken(tmp_path: Path) -> None:
    environ = {
        "REGISTRY_AUTH_FILE": str(tmp_path / "own.json"),
        "DOCKER_CONFIG": str(tmp_path / "docker"),
        "XDG_RUNTIME_DIR": str(tmp_path / "run"),
    }
    places = [
        tmp_path / "run" / "containers" / "auth.json",
        tmp_path / ".docker" / "config.json",
        tmp_path / "docker" / "config.json",
        tmp_path / "own.json",
    ]
    assert login_of_files(HUB, environ, tmp_path) is None
    for number, place in enumerate(places):
        write(place, auths={"dtr.example.com": entry(f"user{number}")})
        assert login_of_files(HUB, environ, tmp_path) == Login(f"user{number}", f"s3cret-user{number}", str(place))
    write(places[-1], auths={"other.example.com": entry("other")})
    found = login_of_files(HUB, environ, tmp_path)
    assert found is not None
    assert found.username == "user2"
    assert "s3cret" not in repr(found)


@pytest.mark.parametrize("key", [DOCKER_HUB_KEY, "docker.io", "index.docker.io/v1/"])
def test_docker_hub_by_any_of_its_keys(tmp_path: Path, key: str) -> None:
    write(tmp_path / ".docker" / "config.json", auths={key: entry("hub")})
    found = login_of_files("docker.io/istio", {}, tmp_path)
    assert found is not None
    assert found.username == "hub"


@pytest.mark.parametrize("text", ["{", "[]", '{"auths": []}', '{"auths": {}, "credHelpers": 1}'])
def test_a_file_that_is_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "own.json"
    path.write_text(text)
    with pytest.raises(RefusedError, match="is no file of registry logins"):
        login_of_files(HUB, {"REGISTRY_AUTH_FILE": str(path)}, tmp_path)


def helper(folder: Path, script: str) -> dict[str, str]:
    """A credential helper on PATH, named by the user's file; the environment that leads to it."""
    program = folder / "bin" / "docker-credential-safe"
    program.parent.mkdir(exist_ok=True)
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    write(folder / ".docker" / "config.json", credHelpers={"dtr.example.com": "safe"}, auths={})
    return {"PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"}


def test_a_helper_is_asked_over_its_standard_input(tmp_path: Path) -> None:
    answer = json.dumps({"Username": "for HOST", "Secret": "s3cret"})
    script = f"""[ "$*" = get ] || exit 1; read host; echo '{answer}' | sed "s/HOST/$host/" """
    found = login_of_files(HUB, helper(tmp_path, script), tmp_path)
    assert found == Login("for dtr.example.com", "s3cret", "docker-credential-safe")


def test_a_helper_that_leaves_a_daemon_behind(tmp_path: Path) -> None:
    answer = json.dumps({"Username": "bob", "Secret": "s3cret" * 20_000})
    script = (
        f"read host; cat {write(tmp_path / 'answer.json', **json.loads(answer))}; sleep 30 & echo $! > {tmp_path}/pid"
    )
    started = time.monotonic()
    found = login_of_files(HUB, helper(tmp_path, script), tmp_path)
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGTERM)
    assert found == Login("bob", "s3cret" * 20_000, "docker-credential-safe")
    assert time.monotonic() - started < 5


def test_an_identity_token_is_not_used(tmp_path: Path) -> None:
    environ = helper(tmp_path, """echo '{"Username": "<token>", "Secret": "s3cret"}'""")
    with pytest.raises(RefusedError, match="has an identity token for dtr") as caught:
        login_of_files(HUB, environ, tmp_path)
    assert "s3cret" not in str(caught.value.document())


def test_a_helper_that_has_none(tmp_path: Path) -> None:
    environ = helper(tmp_path, "echo credentials not found in native keychain; exit 1")
    assert login_of_files(HUB, environ, tmp_path) is None


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("echo s3cret; exit 3", r"failed \(exit code 3\)"),
        ("echo s3cret", "gave no user name and secret"),
    ],
)
def test_a_helper_that_fails_shows_nothing(tmp_path: Path, script: str, why: str) -> None:
    with pytest.raises(RefusedError, match=why) as caught:
        login_of_files(HUB, helper(tmp_path, script), tmp_path)
    assert "s3cret" not in str(caught.value.document())


def test_a_helper_that_is_not_there_or_has_no_such_name(tmp_path: Path) -> None:
    write(tmp_path / ".docker" / "config.json", credsStore="nowhere")
    with pytest.raises(RefusedError, match="docker-credential-nowhere is not in PATH"):
        login_of_files(HUB, dict(os.environ), tmp_path)
    write(tmp_path / ".docker" / "config.json", credsStore="../x")
    with pytest.raises(RefusedError, match="is no name of a credential helper"):
        login_of_files(HUB, dict(os.environ), tmp_path)


def test_variables() -> None:
    assert login_of_variables({}) is None
    assert login_of_variables({USERNAME: "$(user)", PASSWORD: "$(password)"}) is None
    assert login_of_variables({USERNAME: "bob", PASSWORD: "s3cret"}) == Login(
        "bob", "s3cret", f"{USERNAME} and {PASSWORD}"
    )
    of_lines = login_of_variables({USERNAME: "bob\n", PASSWORD: "s3cret\r\n"})
    assert of_lines == login_of_variables({USERNAME: "bob", PASSWORD: "s3cret"}), "a line's end is no part of a value"
    with pytest.raises(RefusedError, match=f"{PASSWORD} is not set"):
        login_of_variables({USERNAME: "bob"})


def test_a_tools_file_has_these_logins_and_no_other() -> None:
    made = auth_file([("docker.io", Login("a", "b", "")), ("dtr.example.com", None), ("x:5000", Login("c", "d", ""))])
    assert json.loads(made) == {"auths": {DOCKER_HUB_KEY: {"auth": "YTpi"}, "x:5000": {"auth": "Yzpk"}}}
