"""What DNS has to say about a standby, where no name server answers."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

import pytest
import yaml

from sohistio.model.state import ClusterState
from sohistio.planning.session import Session, Where
from sohistio.planning.standby import standby_rule

SHIPPED = Path(__file__).parents[3] / "environments"


@pytest.fixture
def nobody() -> str:
    """A port of loopback where nobody answers."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"


def session(folder: Path, name: str, server: str) -> Session:
    root = shutil.copytree(SHIPPED, folder / "environments")
    dns = {"record": "app.a.com", "zone": "a.com", "servers": [server], "manual": {"instructions": "ask"}}
    probes = [{"url": "https://app.a.com/"}]
    for one, more in (("prod", {}), ("dr", {"standbyOf": "prod", "failover": {"dns": dns, "probes": probes}})):
        declared = {
            "name": one,
            "ingressAddress": "10.0.0.1",
            "cluster": {"sandbox": one},
            "applicationNamespaces": ["shop"],
            **more,
        }
        (root / one / "environment.yaml").write_text(yaml.safe_dump(declared))
    return Session(Where(name, root), lambda _line: None)


@pytest.mark.parametrize("name", ["dr", "prod"])
def test_silence_is_no_reason_and_is_said(tmp_path: Path, nobody: str, name: str) -> None:
    rule = standby_rule(session(tmp_path, name, nobody), ClusterState("https://x"), None)
    assert rule.reasons == ()
    assert rule.dns_silent == f"the name server {nobody} gave no answer"
