"""Bundles: what an environment needs from the internet in one file."""
