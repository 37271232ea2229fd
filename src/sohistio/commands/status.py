"""status: every environment side by side."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from sohistio.adapters.azure.login import Auth
from sohistio.commands.common import console, errors_as_json, print_json
from sohistio.environments.load import environment_names, find_environments_root, load_environment
from sohistio.errors import ExitCode, UsageError
from sohistio.model.record import run_document
from sohistio.output.tables import show
from sohistio.plan.plan import SCHEMA_VERSION
from sohistio.planning.session import Where
from sohistio.planning.status import EnvironmentStatus, status_of

_COLUMNS = ("environment", "cluster", "installed", "target", "in sync", "gateways", "last run", "lock")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line said; no environment is all of them."""

    environment: str | None
    all: bool
    environments: Path | None = None
    kubeconfig: Path | None = None
    context: str | None = None
    auth: Auth = Auth.AUTO


def status(asked: Asked, *, json: bool) -> int:
    """`sohistio status`: one environment or all. Exit 0 where every row could be read, else 1. Raises UsageError."""
    with errors_as_json(json):
        rows = status_of(_places(asked))
    if json:
        document = {"schemaVersion": SCHEMA_VERSION, "kind": "Status", "environments": [_document(row) for row in rows]}
        print_json(document)
    else:
        show(console(), _table(rows))
    return ExitCode.FAILED if any(row.problem for row in rows) else ExitCode.OK


def _places(asked: Asked) -> list[Where]:
    root = find_environments_root(asked.environments, Path.cwd())
    known = environment_names(root)
    if asked.environment is not None and asked.all:
        raise UsageError("--env and --all exclude each other", todo="Give one of them.")
    if asked.environment is None and asked.context is not None:
        raise UsageError(
            "--context names one cluster, and all environments are asked for", todo="Give --env with --context."
        )
    if asked.environment is not None and asked.environment not in known:
        load_environment(asked.environment, root, os.environ)  # says what is wrong with the name
    names = known if asked.environment is None else [asked.environment]
    return [Where(name, asked.environments, None, asked.kubeconfig, asked.context, auth=asked.auth) for name in names]


def _table(rows: list[EnvironmentStatus]) -> Table:
    table = Table(box=None, padding=(0, 2), pad_edge=False, header_style="bold")
    for column in _COLUMNS:
        table.add_column(column, overflow="fold", no_wrap=column in ("environment", "installed", "target"))
    for row in rows:
        if row.problem:
            told = (row.environment, row.cluster, row.installed or "?", row.target or "?")
            problem = Text(row.problem, style="red")
            if row.hint:
                problem.append(f"\n→ {row.hint}", style="dim")
            table.add_row(*told, problem, _gateways(row), "", _lock(row) if row.lock else "")
            continue
        sync = Text("yes", style="green") if row.in_sync else Text(f"no: {row.pending}", style="yellow")
        cells = (row.environment, row.cluster, row.installed or "-", row.target, sync, _gateways(row) or "-")
        table.add_row(*cells, _last_run(row), _lock(row))
    return table


def _gateways(row: EnvironmentStatus) -> str:
    return ", ".join(f"{item.ref.short.removeprefix('istio-')} {item.ready}/{item.desired}" for item in row.gateways)


def _last_run(row: EnvironmentStatus) -> str:
    run = row.last_run
    return f"{run.started[:16].replace('T', ' ')} {run.mode}: {run.outcome} ({run.who})" if run else "-"


def _lock(row: EnvironmentStatus) -> str:
    return row.lock.told(datetime.now(UTC)) if row.lock else "free"


def _document(row: EnvironmentStatus) -> dict[str, Any]:
    lock = row.lock
    return {
        "environment": row.environment,
        "cluster": row.cluster or None,
        "server": row.server or None,
        "installedVersion": row.installed or None,
        "targetVersion": row.target or None,
        "inSync": row.in_sync,
        "mode": row.mode or None,
        "pending": row.pending or None,
        "gateways": [
            {"name": g.ref.name, "namespace": g.ref.namespace, "ready": g.ready, "desired": g.desired}
            for g in row.gateways
        ],
        "lastRun": run_document(row.last_run) if row.last_run else None,
        "lock": {"holder": lock.identity, "since": lock.since.isoformat()} if lock else None,
        "problem": row.problem or None,
        "hint": row.hint or None,
    }
