"""Grafana, known to this package only: dashboards as its JSON, by Grafana's own library."""
