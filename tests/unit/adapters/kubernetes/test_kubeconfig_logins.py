"""Logins of a kubeconfig that cannot be used, and the files that it names."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from one_context import target
from sohistio.adapters.kubernetes.kubeconfig import client_for
from sohistio.adapters.kubernetes.private_kubeconfig import private_copy
from sohistio.errors import ExitCode, RefusedError, UsageError
from sohistio.system.parallel import side_by_side

SECRET = "s3cret"


def test_a_file_that_is_named_and_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="names a file that is not there: /nowhere/token"):
        client_for(target(tmp_path, "https://127.0.0.1:6443", user={"tokenFile": "/nowhere/token"}))


def test_a_file_that_is_named_and_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "token").touch()
    below = tmp_path / "token" / "below"
    with pytest.raises(UsageError, match=f"names a file that cannot be read: {below}") as caught:
        client_for(target(tmp_path, "https://127.0.0.1:6443", user={"tokenFile": str(below)}))
    assert caught.value.details == ("Not a directory",)


@pytest.mark.parametrize(
    ("token", "fine"), [("abc.def\n", True), ("  abc", True), ("abc\ndef", False), ("gr\u00fcn", False)]
)
def test_tokens(tmp_path: Path, token: str, *, fine: bool) -> None:
    asked = target(tmp_path, "https://127.0.0.1:6443", user={"token": token})
    if fine:
        assert client_for(asked).configuration.api_key == {"BearerToken": f"Bearer {token.strip()}"}
        return
    with pytest.raises(RefusedError) as caught:
        client_for(asked)
    assert caught.value.what == "the login of context 'x' gave a token that cannot be one"
    assert token.strip() not in str(caught.value.document())


@pytest.mark.parametrize("key", ["token", "tokenFile"])
def test_a_tokens_line_end_is_no_part_of_it_at_any_request(tmp_path: Path, key: str) -> None:
    (tmp_path / "token").write_text("abc.def\n")
    given = {"token": "abc.def\n", "tokenFile": str(tmp_path / "token")}[key]
    configuration = client_for(target(tmp_path, "https://127.0.0.1:6443", user={key: given})).configuration
    for _ in range(3):
        assert configuration.auth_settings()["BearerToken"]["value"] == "Bearer abc.def"


def test_no_thread_sends_a_token_as_it_came(tmp_path: Path) -> None:
    """The package puts it in place, line end and all, before anybody can look at it."""
    (tmp_path / "token").write_text("abc.def\n")
    asked = target(tmp_path, "https://127.0.0.1:6443", user={"tokenFile": str(tmp_path / "token")})
    configuration = client_for(asked).configuration

    def send(_: int) -> set[str]:
        return {configuration.auth_settings()["BearerToken"]["value"] for _ in range(2000)}

    assert set().union(*side_by_side(send, range(8))) == {"Bearer abc.def"}


LOGINS: list[tuple[object, str]] = [
    (None, "exec"),
    (5, "exec"),
    ({}, "exec.command"),
    ({"command": ["a"]}, "exec.command"),
    ({"command": "a", "args": ["--client-secret", SECRET, None]}, "exec.args"),
    ({"command": "a", "args": 5}, "exec.args"),
    ({"command": "a", "env": {"X": SECRET}}, "exec.env"),
    ({"command": "a", "env": [{"name": "X", "value": SECRET}, None]}, "exec.env"),
    ({"command": "a", "env": [{"name": "X", "value": SECRET}, {"name": "Y"}]}, "exec.env"),
    ({"command": "a", "env": [{"name": "X", "value": 5}]}, "exec.env"),
]


@pytest.mark.parametrize(("login", "key"), LOGINS)
def test_a_login_command_of_another_shape_is_told_without_the_user(tmp_path: Path, login: object, key: str) -> None:
    """The library prints all of the user then, key and all."""
    user = {"exec": login, "username": "a", "password": SECRET, "client-key-data": SECRET}
    if isinstance(login, dict):
        login |= {"apiVersion": "client.authentication.k8s.io/v1"}
    with pytest.raises(UsageError) as caught:
        client_for(target(tmp_path, "https://127.0.0.1:6443", user=user))
    where = tmp_path / "kubeconfig"
    assert caught.value.what == f"{key} of user 'u' in the kubeconfig {where} is not as a login command has it"
    assert SECRET not in str(caught.value.document())


@pytest.mark.parametrize(
    ("key", "value"),
    [("as", "admin"), ("as-uid", "5"), ("as-groups", ["system:masters"]), ("as-user-extra", {"reason": ["x"]})],
)
def test_a_user_who_acts_as_somebody_else(tmp_path: Path, key: str, value: object) -> None:
    """istioctl would, sohistio would not: two users in one run, of whom the other may have fewer rights."""
    with pytest.raises(UsageError, match=rf"user 'u' in the kubeconfig .* acts as somebody else \({key}\)") as caught:
        client_for(target(tmp_path, "https://127.0.0.1:6443", user={"token": "x", key: value}))
    assert caught.value.exit_code is ExitCode.USAGE


@pytest.mark.parametrize("key", ["tokenFile", "client-certificate", "client-key"])
@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
def test_what_is_no_ordinary_file_is_not_read(tmp_path: Path, key: str, kind: str) -> None:
    """To read a pipe may take for ever, and /dev/zero all memory."""
    os.mkfifo(tmp_path / "pipe")
    file = {"pipe": tmp_path / "pipe", "device": Path("/dev/zero"), "folder": tmp_path}[kind]
    asked = target(tmp_path, "https://127.0.0.1:6443", user={key: str(file)})
    with pytest.raises(UsageError, match=rf"{key} of user 'u' in the kubeconfig .* is no ordinary file: {file}"):
        client_for(private_copy(asked))
