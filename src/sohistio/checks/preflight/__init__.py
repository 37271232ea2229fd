"""Preflight: named checks before anything is touched. One check is one small function and one row."""
