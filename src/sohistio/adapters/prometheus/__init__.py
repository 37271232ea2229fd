"""Adapter: Prometheus' HTTP API, asked for what traffic there was."""
