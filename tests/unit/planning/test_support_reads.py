"""What a support bundle reads: what cannot be had costs nothing of the rest, and is never left out without a word."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from api_server import ApiServer, Reply
from environment_folder import OPERATOR, environment_folder
from sohistio.planning.session import Session, Where
from sohistio.planning.support import Texts, read_versions, support_parts

LINE = b"2026-11-27T15:00:00.000000Z\tinfo\tstarted\n"
ISTIOD, EDGE = "/api/v1/namespaces/istio-system/pods", "/api/v1/namespaces/edge/pods"


def pod(number: int) -> dict[str, object]:
    metadata = {"name": f"istiod-{number:02}", "labels": {"app": "istiod"}}
    return {"metadata": metadata, "spec": {"containers": [{"name": "discovery"}]}}


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with ApiServer() as running:
        running.answers("GET", "/version", Reply({"gitVersion": "v1.35.4"}))
        yield running


@pytest.fixture
def session(server: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    """Of an environment with a gateway in a namespace of its own."""
    monkeypatch.setenv("SOHISTIO_IP_PREFIX", "10.20")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    name = "name: istio-ingressgateway\n"
    operator = OPERATOR.replace(name, f"{name}        namespace: edge\n")
    found = Session(Where("qa", environment_folder(tmp_path, operator=operator)), lambda _: None)
    found.api = server.api(tmp_path)
    return found


def logs(session: Session) -> Texts:
    part = next(part for part in support_parts(session, logs=True) if part.name == "logs")
    read = part.read()
    assert isinstance(read, Texts)
    return read


def test_logs_that_no_kubelet_gives_are_one_line(server: ApiServer, session: Session) -> None:
    """Each answer names its own pod and node; a missing right is alike for all, and said by the reasons."""
    server.answers("GET", ISTIOD, Reply({"items": [pod(number) for number in range(5)]}))
    for number in range(5):
        answer = {"message": f"dial tcp node-{number}:10250: connection refused"}
        server.answers("GET", f"{ISTIOD}/istiod-{number:02}/log", Reply(answer, 403 if number == 4 else 500))
    server.answers("GET", EDGE, Reply({"items": []}))
    read = logs(session)
    assert read.found == {}
    assert sorted(read.problems) == [
        "4 logs, such as istio-system_istiod-00_discovery.log",
        "istio-system_istiod-04_discovery.log",
    ]


def test_logs_that_could_not_be_read_are_named_beside_those_that_could(server: ApiServer, session: Session) -> None:
    server.answers("GET", ISTIOD, Reply({"items": [pod(1), pod(2)]}))
    server.answers("GET", f"{ISTIOD}/istiod-01/log", Reply(LINE))
    server.answers("GET", f"{ISTIOD}/istiod-02/log", Reply({"message": "no kubelet"}, 403))
    server.answers("GET", EDGE, Reply({"message": "pods is forbidden"}, 403))
    read = logs(session)
    assert list(read.found) == ["istio-system_istiod-01_discovery.log"]
    assert sorted(read.problems) == ["istio-system_istiod-02_discovery.log", "pods of edge"]


def test_containers_beyond_the_most_are_counted(server: ApiServer, session: Session) -> None:
    server.answers("GET", ISTIOD, Reply({"items": [pod(number) for number in range(14)]}))
    server.answers("GET", EDGE, Reply({"items": []}))
    for number in range(14):
        server.answers("GET", f"{ISTIOD}/istiod-{number:02}/log", Reply(LINE))
    read = logs(session)
    assert len(read.found) == 12
    assert {what: error.what for what, error in read.problems.items()} == {
        "2 containers": "left out: a bundle has 12 at most"
    }


def test_versions_are_there_though_the_mirror_is_silent(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("SOHISTIO_ISTIO_MIRROR", f"http://127.0.0.1:{silent.getsockname()[1]}")
        versions = read_versions(session, istioctl_seconds=0.3)
    assert (versions["istioctl"], versions["istioTarget"], versions["kubernetes"]) == (None, "1.31.1", "v1.35.4")
