"""Adapters to Azure; its packages are imported here only, when they are needed."""
