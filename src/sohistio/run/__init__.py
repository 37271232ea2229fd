"""Carrying a plan out: steps, waits, restarts."""
