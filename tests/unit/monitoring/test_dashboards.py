"""The dashboards: each panel says what it shows, Prometheus reads every query, and Grafana's file has all of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dashboard_queries import chosen
from real_prometheus import RealPrometheus
from sohistio.adapters.grafana.written import dashboard_json
from sohistio.commands.monitoring import write_dashboard
from sohistio.model.dashboards import Dashboard
from sohistio.monitoring.dashboards import dashboards

ALL = dashboards()
NAMED = pytest.mark.parametrize("dashboard", ALL, ids=lambda item: item.uid)


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealPrometheus]:
    with RealPrometheus(tmp_path_factory.mktemp("prometheus"), {}) as found:
        yield found


def test_there_are_four() -> None:
    assert [item.title for item in ALL] == [
        "Istio: Mesh Overview",
        "Istio: Service",
        "Istio: Workload",
        "Istio: Performance",
    ]
    assert len({item.uid for item in ALL}) == len(ALL)


@NAMED
def test_every_panel_says_what_it_shows(dashboard: Dashboard) -> None:
    for row in dashboard.rows:
        titles = [panel.title for panel in row.panels]
        assert len(set(titles)) == len(titles), row.title
        for panel in row.panels:
            assert panel.title
            assert panel.queries, panel.title
            assert all(query.legend for query in panel.queries), panel.title


@NAMED
def test_prometheus_reads_every_query(dashboard: Dashboard, prometheus: RealPrometheus) -> None:
    for query in dashboard.queries:
        prometheus.answer(chosen(query.expression))
    for variable in dashboard.variables:
        prometheus.answer(chosen(variable.query.removeprefix("label_values(").rpartition(",")[0]))


@NAMED
def test_grafanas_file_has_all_of_it(dashboard: Dashboard) -> None:
    text = dashboard_json(dashboard)
    assert text == dashboard_json(dashboard), "written again it is the same"
    document = json.loads(text)
    panels = [panel for panel in document["panels"] if panel["type"] != "row"]
    assert [panel["title"] for panel in panels] == [panel.title for panel in dashboard.panels]
    units = [panel["fieldConfig"]["defaults"]["unit"] for panel in panels]
    assert units == [panel.unit.value for panel in dashboard.panels]
    targets = [target for panel in panels for target in panel["targets"]]
    assert [target["expr"] for target in targets] == [query.expression for query in dashboard.queries]
    assert {target["datasource"]["uid"] for target in targets} == {"${datasource}"}
    names = [variable["name"] for variable in document["templating"]["list"]]
    assert names == ["datasource", *(variable.name for variable in dashboard.variables)]
    assert not _overlapping(document["panels"])


def _overlapping(panels: list[dict[str, Any]]) -> list[str]:
    taken: dict[tuple[int, int], str] = {}
    found = []
    for panel in panels:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24, panel["title"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                if (x, y) in taken:
                    found.append(f"{panel['title']} over {taken[x, y]}")
                taken[x, y] = panel["title"]
    return found


def test_a_file_is_written_where_it_differs(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    assert [write_dashboard(file, text) for text in ("a", "a", "b")] == ["created", "unchanged", "changed"]
    assert file.read_text() == "b"
