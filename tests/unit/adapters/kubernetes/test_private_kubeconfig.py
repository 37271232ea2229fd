"""A run's own copy of a context: the same cluster for us and for istioctl, whatever happens to the person's file."""

from __future__ import annotations

import base64
import os
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml

from certificate_authorities import make
from sohistio.adapters.kubernetes.kubeconfig import client_for
from sohistio.adapters.kubernetes.private_kubeconfig import discard, private_copy
from sohistio.errors import RefusedError, SohistioError, UsageError
from sohistio.model.kube_target import KubeTarget


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "sohistio" / "kubeconfigs"


def document(
    name: str = "x", *, cluster: dict[str, Any] | None = None, user: dict[str, Any] | None = None, **parts: Any
) -> dict[str, Any]:
    return {
        "current-context": "another",
        "clusters": [{"name": "c", "cluster": {"server": "https://one.example.com"} | (cluster or {})}],
        "users": [{"name": "u", "user": user if user is not None else {"token": "t0ken"}}],
        "contexts": [{"name": name, "context": {"cluster": "c", "user": "u", "namespace": "shop"}}],
    } | parts


def named(cluster: object, user: object) -> dict[str, Any]:
    return {"name": "x", "context": {"cluster": cluster, "user": user}}


def written(path: Path, content: dict[str, Any]) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump(content))
    return path


def copied(target: KubeTarget) -> dict[str, Any]:
    copy = private_copy(target)
    assert copy.kubeconfig is not None
    assert copy.copy_of
    assert copy.context == target.context
    found: dict[str, Any] = yaml.safe_load(copy.kubeconfig.read_text())
    return found


def test_a_context_rewritten_meanwhile_leads_where_it_led(tmp_path: Path, state: Path) -> None:
    path = written(tmp_path / "config", document())
    copy = private_copy(KubeTarget(path, "x"))
    written(path, document(cluster={"server": "https://two.example.com"}))
    assert client_for(copy).configuration.host == "https://one.example.com"
    assert copy.kubeconfig is not None
    assert copy.kubeconfig.is_relative_to(state)
    assert stat.S_IMODE(copy.kubeconfig.stat().st_mode) == 0o600
    assert copy.arguments() == (f"--kubeconfig={copy.kubeconfig}", "--context=x")


def test_only_the_context_that_is_meant(tmp_path: Path) -> None:
    others = [{"name": "other", "user": {"token": "0ther"}}]
    content = document()
    content["users"] += others
    found = copied(KubeTarget(written(tmp_path / "config", content), "x"))
    assert "0ther" not in str(found)
    assert found["current-context"] == "x"
    assert found["contexts"] == content["contexts"], "its namespace stays"


def test_relative_paths_are_of_the_file_they_stand_in(tmp_path: Path) -> None:
    files = {"client-certificate": "me.pem", "client-key": "keys/me.key", "tokenFile": "/elsewhere/token"}
    login = {"apiVersion": "client.authentication.k8s.io/v1", "command": "bin/login", "args": ["a/b"]}
    user = files | {"exec": login}
    path = written(tmp_path / "kube" / "config", document(cluster={"certificate-authority": "ca.pem"}, user=user))
    found = copied(KubeTarget(Path(os.path.relpath(path)), "x"))
    folder = tmp_path / "kube"
    assert found["clusters"][0]["cluster"]["certificate-authority"] == str(folder / "ca.pem")
    assert found["users"][0]["user"] == {
        "client-certificate": str(folder / "me.pem"),
        "client-key": str(folder / "keys/me.key"),
        "tokenFile": "/elsewhere/token",
        "exec": login | {"command": str(folder / "bin/login")},
    }


def test_a_login_command_on_path_stays_one(tmp_path: Path) -> None:
    login = {"apiVersion": "client.authentication.k8s.io/v1", "command": "kubelogin"}
    found = copied(KubeTarget(written(tmp_path / "config", document(user={"exec": login})), "x"))
    assert found["users"][0]["user"]["exec"] == login


def test_several_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The context may be in one, its cluster and its user in others; the first that has a name wins."""
    whole = document()
    first = written(tmp_path / "1" / "config", {"contexts": whole["contexts"]})
    cluster = document(cluster={"certificate-authority": "ca.pem"})["clusters"]
    second = written(tmp_path / "2" / "config", {"clusters": cluster, "users": None})
    late = document(cluster={"server": "https://late.example.com"})
    third = written(tmp_path / "3" / "config", late)
    monkeypatch.setenv("KUBECONFIG", os.pathsep.join(map(str, (first, tmp_path / "missing", second, third))))
    found = copied(KubeTarget(None, "x"))
    assert found["clusters"][0]["cluster"] == {
        "server": "https://one.example.com",
        "certificate-authority": str(tmp_path / "2" / "ca.pem"),
    }
    assert found["users"] == late["users"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "there is no kubeconfig at"),
        ("{{{", "is no kubeconfig"),
        ("just text", "is no kubeconfig"),
        ("", "cannot be used"),
        ("contexts: [{name: x}]", "cannot be used"),
        (yaml.safe_dump(document(name="y")), "has no context 'x'"),
        (yaml.safe_dump(document(clusters=[])), "cannot be used"),
        (yaml.safe_dump(document(users=[{"name": "u"}])), "cannot be used"),
        (
            yaml.safe_dump(document(contexts=[named("c", ["u"])])),
            "the user of context 'x' in the kubeconfig .* is no name",
        ),
        (
            yaml.safe_dump(document(contexts=[named({}, "u")])),
            "the cluster of context 'x' in the kubeconfig .* is no name",
        ),
        (yaml.safe_dump(document(clusters=[{"name": "c", "cluster": [1]}])), "cluster 'c' in .* is no map of keys"),
        (yaml.safe_dump(document(users=[{"name": ["u"], "user": {}}])), "a name in users of .* is not text"),
        (yaml.safe_dump(document(contexts=[{"name": ["x"], "context": {}}])), "a name in contexts of .* is not text"),
    ],
)
def test_what_cannot_be_used_is_told_of_the_persons_file(tmp_path: Path, content: str | None, words: str) -> None:
    path = tmp_path / "config"
    if content is not None:
        path.write_text(content)
    target = KubeTarget(path, "x")
    assert private_copy(target) == target
    with pytest.raises(UsageError, match=words) as caught:
        client_for(private_copy(target))
    assert str(path) in caught.value.what


def test_nobody_as_the_user(tmp_path: Path) -> None:
    """The same as without a copy: no credentials are sent."""
    path = written(tmp_path / "config", document(users=[], contexts=[{"name": "x", "context": {"cluster": "c"}}]))
    assert client_for(private_copy(KubeTarget(path, "x"))).configuration.api_key == {}


def test_a_user_that_is_not_there(tmp_path: Path) -> None:
    """Asked by nobody, an API server would answer 401 or less than there is."""
    path = written(tmp_path / "config", document(users=[{"name": "other", "user": {}}]))
    with pytest.raises(UsageError) as caught:
        client_for(private_copy(KubeTarget(path, "x")))
    assert caught.value.what == f"the kubeconfig {path} has no user 'u', which context 'x' names"


@pytest.mark.parametrize(
    ("user", "error"),
    [
        ({"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "no-such-login"}}, RefusedError),
        ({"client-certificate": "missing.pem", "client-key": "missing.key"}, UsageError),
    ],
    ids=["login-command", "certificate"],
)
def test_a_user_that_cannot_log_in_is_told_of_the_persons_file(
    tmp_path: Path, user: dict[str, Any], error: type[SohistioError]
) -> None:
    path = written(tmp_path / "config", document(user=user))
    with pytest.raises(error) as caught:
        client_for(private_copy(KubeTarget(path, "x")))
    assert str(path) in caught.value.what + caught.value.todo
    assert "state" not in caught.value.what + caught.value.todo


def test_what_the_library_writes_of_a_kubeconfig_goes_with_the_run(tmp_path: Path, state: Path) -> None:
    """A killed run leaves no key in the folder that all share."""
    someone = make("someone")
    parts = {"certificate": someone.pem, "key": someone.key_pem}
    user = {f"client-{kind}-data": base64.b64encode(text.encode()).decode() for kind, text in parts.items()}
    path = written(tmp_path / "config", document(user=user))
    configuration = client_for(private_copy(KubeTarget(path, "x"))).configuration
    key = Path(configuration.key_file)
    assert key.read_text() == someone.key_pem
    assert {key.parent.parent, Path(configuration.cert_file).parent.parent} == {state}
    assert key.stat().st_mode & 0o777 == 0o600


def test_a_copy_can_be_discarded_and_nothing_else(tmp_path: Path, state: Path) -> None:
    own = written(tmp_path / "config", document())
    copy = private_copy(KubeTarget(own, "x"))
    other = written(state / "of-another-process" / "1-config", document())
    for target in (copy, KubeTarget(own, "x"), KubeTarget(other, "x"), KubeTarget(None, "x")):
        discard(target)
    assert copy.kubeconfig is not None
    assert [path.exists() for path in (copy.kubeconfig, own, other)] == [False, True, True]
    discard(copy)
