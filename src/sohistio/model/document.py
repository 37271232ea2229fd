"""What all JSON documents of sohistio have in common."""

from __future__ import annotations

# Of every document: raised when a key is renamed, removed or changes its meaning, not when one is added.
SCHEMA_VERSION = "1"
