"""Carrying out a sync: one object that is refused keeps no other back, and each is named with the server's words."""

from __future__ import annotations

import io
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api_server import ApiServer, Reply
from configured import configured, synced
from sohistio.adapters.kubernetes.api import KubeApi, KubeError
from sohistio.adapters.kubernetes.hold import Hold
from sohistio.errors import FailedError, InterruptedRunError, VerificationError
from sohistio.model.state import ObjectRef
from sohistio.output.lines import LineObserver
from sohistio.plan.sync_steps import PruneSynced, SyncObjects
from sohistio.run.sync import prune_objects, sync_objects
from sohistio.run.wait import Waiting
from without_istioctl import tools_of

GROUP = "/apis/networking.istio.io/v1"
ROUTES = f"{GROUP}/namespaces/shop/virtualservices"
NAMES = ("a", "b", "c")
REFS = tuple(ObjectRef("VirtualService", "shop", name) for name in NAMES)
APPLY = SyncObjects(
    "sync/apply", "create 3 objects", tuple(json.dumps(configured(name=name)) for name in NAMES), "prod"
)
PRUNE = PruneSynced("sync/prune", "delete 3", "prod", REFS, tuple(f"{ROUTES}/{name}" for name in NAMES))
CONFLICT = 'Apply failed with 1 conflict: conflict with "kubectl-edit" using networking.istio.io/v1: .spec.http'


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with ApiServer() as running:
        kind = {"kind": "VirtualService", "name": "virtualservices", "namespaced": True}
        running.answers("GET", GROUP, Reply({"resources": [kind]}))
        for name in NAMES:
            running.answers("PATCH", f"{ROUTES}/{name}", Reply(configured(name=name)))
            running.answers("GET", f"{ROUTES}/{name}", Reply(synced(name=name)))
            running.answers("DELETE", f"{ROUTES}/{name}", Reply({}))
        yield running


def run(api: KubeApi, folder: Path, step: SyncObjects | PruneSynced, hold: Hold | None = None) -> None:
    hold = hold or Hold(threading.Event())
    waiting = Waiting(api, LineObserver(io.StringIO()), hold, time.monotonic() + 60)

    tools = tools_of(api, folder)
    if isinstance(step, SyncObjects):
        sync_objects(tools, waiting, step)
    else:
        prune_objects(tools, waiting, step, seconds=1)


def written(server: ApiServer, method: str) -> list[str]:
    return [asked.path.rpartition("/")[2] for asked in server.asked if asked.method == method]


def test_a_conflict_since_the_plan_is_named_and_the_others_are_done(server: ApiServer, tmp_path: Path) -> None:
    server.answers("PATCH", f"{ROUTES}/b", Reply({"message": CONFLICT}, 409))
    with pytest.raises(FailedError) as caught:
        run(server.api(tmp_path), tmp_path, APPLY)
    assert caught.value.what == "1 of 3 objects could not be applied"
    assert caught.value.details == (f"VirtualService shop/b could not be applied: {CONFLICT}",)
    assert written(server, "PATCH") == ["a", "b", "c"]


def test_what_is_no_longer_syncs_own_is_named_and_the_others_are_deleted(server: ApiServer, tmp_path: Path) -> None:
    server.answers("GET", f"{ROUTES}/b", Reply(configured(name="b")))
    with pytest.raises(FailedError) as caught:
        run(server.api(tmp_path), tmp_path, PRUNE)
    assert caught.value.details == ("VirtualService shop/b is no longer sync's own: it is not deleted",)
    assert written(server, "DELETE") == ["a", "c"]


def held(name: str) -> dict[str, Any]:
    return synced(name=name, deletionTimestamp="now", finalizers=["example.com/x"])


def test_what_a_finalizer_holds_is_not_reported_as_removed(server: ApiServer, tmp_path: Path) -> None:
    server.answers("GET", f"{ROUTES}/b", Reply(synced(name="b")), Reply(held("b")))
    server.answers("DELETE", f"{ROUTES}/b", Reply(held("b")))
    with pytest.raises(VerificationError) as caught:
        run(server.api(tmp_path), tmp_path, PRUNE)
    assert caught.value.what == "1 of 3 deleted objects is still there, and may be in force"
    assert caught.value.details == ("VirtualService shop/b (held by example.com/x)",)
    assert written(server, "DELETE") == ["a", "b", "c"]


def test_what_a_finalizer_lets_go_in_time_is_removed(server: ApiServer, tmp_path: Path) -> None:
    gone = Reply({"message": "not found"}, 404)
    server.answers("GET", f"{ROUTES}/b", Reply(synced(name="b")), Reply(held("b")), gone)
    server.answers("DELETE", f"{ROUTES}/b", Reply(held("b")))
    run(server.api(tmp_path), tmp_path, PRUNE)


def test_a_server_that_went_away_ends_it_at_once(tmp_path: Path) -> None:
    with ApiServer() as gone:
        api = gone.api(tmp_path)
    with pytest.raises(KubeError, match="cannot be reached"):
        run(api, tmp_path, APPLY)


def test_an_interrupted_run_begins_no_further_object(server: ApiServer, tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(InterruptedRunError):
        run(server.api(tmp_path), tmp_path, APPLY, Hold(stop))
    assert written(server, "PATCH") == []
