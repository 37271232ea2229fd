"""Checks: before a run and after it; one is a function and a row."""
