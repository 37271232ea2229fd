"""Kubeconfigs that something has damaged: a client, or one of sohistio's errors; the file stays as it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from damage import DEEP, damaged_bytes, damaged_documents, nested, nothing_written
from sohistio.adapters.kubernetes.api import KubeApi
from sohistio.adapters.kubernetes.known_contexts import contexts_of
from sohistio.adapters.kubernetes.private_kubeconfig import discard, private_copy
from sohistio.adapters.kubernetes.user_kubeconfig import merge_context
from sohistio.errors import SohistioError
from sohistio.model.kube_target import KubeTarget
from sohistio.model.managed_cluster import ClusterAccess

# What no program is behind: a login command would be started, and a file of a certificate read.
DOCUMENT: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "qa",
    "preferences": {},
    "clusters": [
        {
            "name": "c",
            "cluster": {"server": "https://10.0.0.1:443", "tls-server-name": "c", "proxy-url": "http://p:3128"},
        },
        {"name": "d", "cluster": {"server": "https://d.example.com"}},
    ],
    "users": [
        {"name": "clusterUser_g_qa", "user": {"token": "t0ken"}},
        {"name": "v", "user": {"username": "a", "password": "b"}},
    ],
    "contexts": [
        {"name": "qa", "context": {"cluster": "c", "user": "clusterUser_g_qa", "namespace": "shop"}},
        {"name": "other", "context": {"cluster": "d", "user": "v"}},
    ],
}
ACCESS = ClusterAccess("https://10.0.0.1:443", "bXktY2E=")


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("HTTPS_PROXY", raising=False)


def refused(work: Any) -> bool:
    """Whether it ends with an error of sohistio's, which has words; any other one is a failure."""
    try:
        work()
    except SohistioError as error:
        return bool(error.what and error.exit_code in (2, 3))
    return False


def used(folder: Path, content: bytes) -> None:
    """In all the ways that a person's kubeconfig is read: none of them writes to it."""
    (folder / "kube").mkdir(exist_ok=True)
    path = folder / "kube" / "config"
    path.write_bytes(content)
    target = KubeTarget(path, "qa")
    with nothing_written(path.parent):
        refused(lambda: KubeApi(target))
        copy = private_copy(target)
        refused(lambda: KubeApi(copy))
        discard(copy)
        refused(lambda: KubeApi(KubeTarget(path, None)))
        contexts_of("g", "qa", {"KUBECONFIG": str(path)})


@settings(max_examples=60)
@given(damaged_bytes(yaml.safe_dump(DOCUMENT).encode()))
@example(b"[" * DEEP)
@example(b"- " * DEEP)
@example(b"users: 2026-02-31\n")
@example(b"!!bool x")
@example(b"---\na: 1\n---\nb: 1\n")
def test_a_kubeconfig_with_bytes_gone_wrong(tmp_path: Path, content: bytes) -> None:
    used(tmp_path, content)


@settings(max_examples=100)
@given(damaged_documents(DOCUMENT))
@example(DOCUMENT | {"clusters": [{"name": "c", "cluster": {"server": "https://10.0.0.1", "proxy-url": True}}]})
@example(DOCUMENT | {"clusters": [{"name": "c", "cluster": {"server": "https://10.0.0.1", "tls-server-name": 5}}]})
@example(DOCUMENT | {"users": nested(300)})
def test_a_kubeconfig_with_something_else_in_its_place(tmp_path: Path, document: Any) -> None:
    used(tmp_path, json.dumps(document).encode())


@settings(max_examples=30)
@given(
    st.one_of(
        damaged_bytes(yaml.safe_dump(DOCUMENT).encode()),
        damaged_documents(DOCUMENT).map(lambda found: json.dumps(found).encode()),
    )
)
def test_a_login_is_merged_or_the_file_stays_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "config"
    path.write_bytes(content)
    if refused(lambda: merge_context(path, "qa", ACCESS, ["aks-token"], overwrite=True)):
        assert path.read_bytes() == content
    else:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert "qa" in [item.get("name") for item in document["contexts"]]
    assert list(tmp_path.iterdir()) == [path], "no lock and no half of a file is left"
