"""All dashboards. Pure."""

from __future__ import annotations

from sohistio.model.dashboards import Dashboard
from sohistio.monitoring.mesh_overview import mesh_overview
from sohistio.monitoring.performance import performance
from sohistio.monitoring.service import service, workload


def dashboards() -> tuple[Dashboard, ...]:
    """In the order in which people need them."""
    return mesh_overview(), service(), workload(), performance()
