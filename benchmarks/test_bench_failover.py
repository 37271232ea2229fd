"""From the command to the first good answer at dr's address, beside gateways that are scaled by hand."""

from __future__ import annotations

import http.client
import json
import subprocess
import time
from collections.abc import Iterator
from statistics import median

import pytest

from bench_table import Table
from measured import SOHISTIO, Row
from regions import HOST, Region, Regions, until
from requests_by_address import get, trusting
from sandboxes import CHECKOUT
from workloads import pods_of

pytestmark = pytest.mark.bench

ROUNDS = 3
GATEWAYS = ("deployment/istio-ingressgateway", "deployment/istio-egressgateway")
FORWARD = ("failover", "--to", "dr", "--yes", "--confirm", "dr")
BACK = ("failback", "--to", "prod", "--yes", "--confirm", "prod")
LONGEST = 120
SLOW = {"spec": {"template": {"metadata": {"labels": {"sandbox.sohistio/slow": "10s"}}}}}
"""As on AKS, where an Envoy is pulled, started and asked whether it is ready."""


@pytest.fixture
def regions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Regions]:
    found = Regions(tmp_path_factory.mktemp("regions"), tmp_path_factory.mktemp("state"), ttl=1)
    try:
        found.start()
        kubectl(found.regions["dr"], "patch", "--patch", json.dumps(SLOW))
        yield found
    finally:
        found.stop()


def first_good(regions: Regions, begun: float) -> float:
    """Seconds until dr's own address answers a request for the application."""
    trusted = trusting(regions.authority.certificate)
    while time.monotonic() < begun + LONGEST:
        try:
            if get(regions.regions["dr"].address, HOST, trusted, "/health", seconds=1).status == 200:
                return time.monotonic() - begun
        except (OSError, http.client.HTTPException):
            time.sleep(0.02)
    raise AssertionError("dr never answered")


def kubectl(region: Region, verb: str, *flags: str) -> None:
    """Of both gateways."""
    where = ("--kubeconfig", str(region.kubeconfig), "--context", region.context, "-n", "istio-system")
    command = ["kubectl", *where, verb, *flags, *GATEWAYS]
    subprocess.run(command, check=True, timeout=60)


def nobody_answers(regions: Regions) -> None:
    """Envoys that drain answer after their pods are gone from the lists."""
    trusted, dr = trusting(regions.authority.certificate), regions.regions["dr"]

    def silent() -> bool:
        try:
            get(dr.address, HOST, trusted, "/health", seconds=1)
        except (OSError, http.client.HTTPException):
            return not pods_of(dr.api, "istio-system", "istio-ingressgateway")
        return False

    until(silent)
    time.sleep(2)
    assert silent()


def by_hand(regions: Regions) -> float:
    dr, begun = regions.regions["dr"], time.monotonic()
    kubectl(dr, "scale", "--replicas=3")
    seconds = first_good(regions, begun)
    kubectl(dr, "scale", "--replicas=0")
    nobody_answers(regions)
    return seconds


def by_failover(regions: Regions) -> float:
    begun = time.monotonic()
    command = [*SOHISTIO, *FORWARD]
    with subprocess.Popen(command, cwd=CHECKOUT, env=regions.environ(), stdout=subprocess.DEVNULL) as process:
        seconds = first_good(regions, begun)
        assert process.wait(LONGEST) == 0
    regions.run(*BACK)
    nobody_answers(regions)
    return seconds


def test_the_first_good_answer_of_dr(regions: Regions, table: Table) -> None:
    found = [(by_failover(regions), by_hand(regions)) for _ in range(ROUNDS)]
    ours, theirs = (median(times) for times in zip(*found, strict=True))
    what = "failover to the first good answer of dr, pods ready after 10 s, beside `kubectl scale` plus readiness"
    row = table.add(Row(what, f"{ours:.1f} s", f"{theirs:.1f} s", ours / theirs, 1.15))
    assert row.met
