"""Taking objects away: what refuses first, then what writes and its pods, then what it would write once more."""

from __future__ import annotations

import io
import threading
import time
from pathlib import Path

from api_server import ApiServer, Reply
from sohistio.adapters.kubernetes.hold import Hold
from sohistio.adapters.kubernetes.paths import path_of
from sohistio.model.state import ObjectRef
from sohistio.output.lines import LineObserver
from sohistio.plan.steps import RemoveObjects
from sohistio.run.remove import remove
from sohistio.run.wait import Waiting
from without_istioctl import tools_of

ELECTION = ObjectRef("ConfigMap", "istio-system", "istio-leader")
ISTIOD = ObjectRef("Deployment", "istio-system", "istiod")
INJECTOR = ObjectRef("MutatingWebhookConfiguration", "", "istio-sidecar-injector")


def test_an_election_goes_only_when_no_istiod_is_left_to_write_it_again(tmp_path: Path) -> None:
    """An istiod that ends slowly takes up its elections again where they are gone, and they would stay for ever."""

    with ApiServer() as server:
        for ref in (ELECTION, ISTIOD, INJECTOR):
            server.answers("DELETE", path_of(ref), Reply({}))
        server.answers("GET", path_of(ISTIOD), Reply({}), Reply({}), Reply({}, 404))
        api = server.api(tmp_path)
        waiting = Waiting(api, LineObserver(io.StringIO()), Hold(threading.Event()), time.monotonic() + 60)
        tools = tools_of(api, tmp_path)
        remove(tools, waiting, RemoveObjects("leftovers/remove", "remove 3 objects", (ELECTION, ISTIOD, INJECTOR)))
        asked = [(request.method, request.path.rpartition("/")[2]) for request in server.asked]
        foreground = [one.query.get("propagationPolicy") for one in server.asked if one.method == "DELETE"]
    assert asked == [
        *[("DELETE", INJECTOR.name), ("GET", INJECTOR.name)],
        *[("DELETE", ISTIOD.name), *[("GET", ISTIOD.name)] * 3],
        *[("DELETE", ELECTION.name), ("GET", ELECTION.name)],
    ]
    assert foreground == [None, "Foreground", None], "a Deployment is gone once its pods are"
