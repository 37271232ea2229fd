"""The document of a sync."""

from __future__ import annotations

from typing import Any

from sohistio.model.document import SCHEMA_VERSION
from sohistio.planning.sync import SyncPlan
from sohistio.run.progress import RunResult


def document(source: str, found: SyncPlan, result: RunResult | None = None) -> dict[str, Any]:
    """As versioned JSON; `run` is None with --check."""
    return {
        "schemaVersion": SCHEMA_VERSION,
        "kind": "Sync",
        "from": source,
        "to": found.planned.plan.environment,
        "differs": found.differs,
        "beyond": list(found.beyond),
        "plan": found.planned.plan.document(),
        "run": result.document() if result else None,
    }
