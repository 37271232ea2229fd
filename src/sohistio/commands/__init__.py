"""The commands on an environment, one file a family; each returns its exit code."""
