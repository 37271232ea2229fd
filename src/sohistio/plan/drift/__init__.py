"""Drift without noise: two raw objects in, the fields that differ out. Pure: no network, no clock, no third party."""
