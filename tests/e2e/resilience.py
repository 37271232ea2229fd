"""Stories of test_policy.py: how calls behave by the policy's defaults, in counted requests."""

from __future__ import annotations

import ssl
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from cryptography import x509

from mesh_workloads import BACKEND_PORT, SIDECAR_PORT, handshake
from outside import https_server
from policed import World
from shop import await_true
from workloads import pods_of


def failed_requests_are_tried_again(world: World) -> None:
    """And an endpoint that goes on failing is left out for a while."""
    host, ask = world.flaky.host, world.checkout
    with https_server(world.flaky.place, BACKEND_PORT, None) as seen:
        seen.failures = 2
        assert ask.call(host, "/twice").status == 200
        assert seen.paths == ["/twice"] * 3, "two retries"
        seen.failures = 100
        assert ask.call(host, "/always").status == 503
        assert seen.paths.count("/always") == 3
        assert ask.call(host, "/more").status == 503
        await_true(lambda: ask.call(host, "/left-out").body.strip() == "no healthy upstream", 10)
        seen.failures, reached = 0, len(seen.paths)
        assert ask.call(host, "/left-out").status == 503
        assert len(seen.paths) == reached, "the endpoint was not asked"
        await_true(lambda: ask.call(host, "/again").status == 200, 20)


def a_client_opens_no_more_connections(world: World) -> None:
    pod = pods_of(world.sandbox.api, "narrow")[0]
    path = f"/api/v1/namespaces/narrow/pods/{pod['metadata']['name']}"
    world.sandbox.api.merge_patch(path, {"metadata": {"annotations": {"sandbox.sohistio/delay": "1s"}}})
    time.sleep(0.5)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: world.checkout.call(world.narrow.host), range(8)))
    counted = Counter(answer.status for answer in answers)
    assert counted[200] <= 3
    assert counted[200] + counted[503] == 8
    assert all("x-envoy-overloaded" in answer.headers for answer in answers if answer.status == 503)


def each_pod_answers_so_many_requests(world: World) -> None:
    """And 429 beyond."""
    counted = Counter(world.checkout.call(world.rated.host).status for _ in range(12))
    assert counted == {200: 5, 429: 7}


def a_certificate_is_renewed_while_its_pod_runs(world: World) -> None:
    """Its life is 20 s here; renewed at half of it."""

    def serial() -> int:
        found = handshake(world.flaky.place, SIDECAR_PORT, ssl.TLSVersion.TLSv1_3)
        return x509.load_der_x509_certificate(found.certificate).serial_number

    first, restarts = serial(), world.flaky.sidecar["restartCount"]
    await_true(lambda: serial() != first, 40)
    assert world.flaky.sidecar["restartCount"] == restarts
