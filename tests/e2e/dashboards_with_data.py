"""A story of test_sidecars.py: a real Prometheus scrapes the sandbox's istiod and Envoys, and dashboards have data."""

from __future__ import annotations

import time
from pathlib import Path

from conftest import Sandbox
from dashboard_queries import chosen
from real_prometheus import RealPrometheus
from shop import traffic_of
from sohistio.model.dashboards import Source
from sohistio.monitoring.dashboards import dashboards

_SPAN = "10s"


def every_query_over_istiod_and_envoy_has_data(sandbox: Sandbox, folder: Path) -> None:
    """Istio's standard metrics need its own build of Envoy, which cannot be had here: those queries are only read."""
    queries = [query for dashboard in dashboards() for query in dashboard.queries]
    with RealPrometheus(folder, _scraped(sandbox), every="1s") as prometheus:
        over = {source: [item.expression for item in queries if item.source is source] for source in Source}
        for expression in over[Source.ISTIO_METRICS]:
            prometheus.answer(chosen(expression, _SPAN))

        def lacking() -> list[str]:
            real = (*over[Source.ISTIOD], *over[Source.ENVOY])
            return [expression for expression in real if not prometheus.answer(chosen(expression, _SPAN))]

        deadline = time.monotonic() + 40
        while (missing := lacking()) and time.monotonic() < deadline:
            time.sleep(1)
        assert not missing, missing


def _scraped(sandbox: Sandbox) -> dict[str, list[str]]:
    """Each at its address on loopback: what a Prometheus of a cluster finds by itself."""
    parts = traffic_of(sandbox)["parts"]
    envoys = [f"{part['address']}/stats/prometheus" for part in parts if part["name"].startswith("envoy-")]
    (istiod,) = [part["pid"] for part in parts if part["name"].startswith("istiod-")]
    words = Path(f"/proc/{istiod}/cmdline").read_text().split("\0")
    # The container's own arguments come first; the sandbox's, with a free port, count.
    place = [word.partition("=")[2] for word in words if word.startswith("--monitoringAddr=")][-1]
    return {"istiod": [f"http://{place}/metrics"], "envoy": envoys}
