"""Adapter: a dashboard as Grafana imports it, by grafana-foundation-sdk."""

from __future__ import annotations

from string import ascii_uppercase
from typing import TYPE_CHECKING

from sohistio.model.dashboards import DATA_SOURCE, Dashboard, Panel, Variable

if TYPE_CHECKING:
    from grafana_foundation_sdk.builders import dashboard as built
    from grafana_foundation_sdk.builders import stat, timeseries
    from grafana_foundation_sdk.models.dashboard import DataSourceRef

_HEIGHT = 8
_TAG = "istio"


def dashboard_json(dashboard: Dashboard) -> str:
    """The text of the file: keys sorted, so that a change is a small difference."""
    from grafana_foundation_sdk.builders import dashboard as built
    from grafana_foundation_sdk.cog.encoder import JSONEncoder

    made = built.Dashboard(dashboard.title).uid(dashboard.uid).description(dashboard.description)
    made = made.tags([_TAG, "sohistio"]).refresh("30s").time("now-1h", "now").timezone("browser").editable()
    made = made.with_variable(built.DatasourceVariable(DATA_SOURCE).type("prometheus").label("Prometheus"))
    for variable in dashboard.variables:
        made = made.with_variable(_variable(variable))
    for row in dashboard.rows:
        made = made.with_row(built.Row(row.title))
        for panel in row.panels:
            made = made.with_panel(_panel(panel))
    return f"{JSONEncoder(sort_keys=True, indent=2).encode(made.build())}\n"


def _panel(panel: Panel) -> stat.Panel | timeseries.Panel:
    from grafana_foundation_sdk.builders import prometheus

    made = _single() if panel.single else _lines()
    made = made.title(panel.title).unit(panel.unit.value).datasource(_source()).span(panel.width).height(_HEIGHT)
    if panel.description:
        made = made.description(panel.description)
    for letter, query in zip(ascii_uppercase, panel.queries, strict=False):
        target = prometheus.Dataquery().expr(query.expression).legend_format(query.legend).ref_id(letter)
        made = made.with_target(target.datasource(_source()))
    return made


def _single() -> stat.Panel:
    from grafana_foundation_sdk.builders import common, stat

    return stat.Panel().reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))


def _lines() -> timeseries.Panel:
    from grafana_foundation_sdk.builders import common, timeseries
    from grafana_foundation_sdk.models.common import LegendDisplayMode, LegendPlacement

    legend = common.VizLegendOptions().show_legend(True)
    legend = legend.display_mode(LegendDisplayMode.LIST).placement(LegendPlacement.BOTTOM)
    return timeseries.Panel().legend(legend)


def _variable(variable: Variable) -> built.QueryVariable:
    from grafana_foundation_sdk.builders import dashboard as built
    from grafana_foundation_sdk.models.dashboard import VariableRefresh, VariableSort

    made = built.QueryVariable(variable.name).label(variable.label).query(variable.query).datasource(_source())
    made = made.refresh(VariableRefresh.ON_TIME_RANGE_CHANGED).sort(VariableSort.ALPHABETICAL_ASC)
    return made.include_all(True).multi(True)


def _source() -> DataSourceRef:
    from grafana_foundation_sdk.models.dashboard import DataSourceRef

    return DataSourceRef(type_val="prometheus", uid=f"${{{DATA_SOURCE}}}")
