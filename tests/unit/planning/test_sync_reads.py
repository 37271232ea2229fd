"""What a comparison of two clusters reads again, where a look came just before."""

from __future__ import annotations

from pathlib import Path

import pytest

from api_server import ApiServer, Reply
from environment_folder import environment_folder
from sohistio.model.state import ClusterState
from sohistio.planning.session import Session, Where
from sohistio.planning.sync_reads import Seen, observed


def test_what_was_seen_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOHISTIO_IP_PREFIX", "10.20")
    with ApiServer() as server:
        server.answers("GET", "/apis", Reply({"kind": "APIGroupList", "groups": []}))
        server.answers("GET", "/api/v1/namespaces/kube-system", Reply({"metadata": {"uid": "u1"}}))
        session = Session(Where("qa", environment_folder(tmp_path)), lambda _: None)
        session.api = server.api(tmp_path)
        state = ClusterState(server=session.api.server)
        found = observed(session, Seen(state, lambda: []))
        asked = [one.path for one in server.asked]
    assert (found.state, found.uid) == (state, "u1")
    assert asked == ["/apis", "/api/v1/namespaces/kube-system"]
