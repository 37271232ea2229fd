"""`sohistio status`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from sohistio.commands.options import Cluster, Form, MaybeTarget

if TYPE_CHECKING:
    from rich.table import Table

    from sohistio.planning.session import Where
    from sohistio.planning.status import EnvironmentStatus, StandbyStatus

_COLUMNS = ("environment", "cluster", "installed", "target", "in sync", "gateways", "last run", "lock")


def status(
    target: MaybeTarget,
    cluster: Cluster,
    form: Form,
    all_: Annotated[bool, typer.Option("--all", help="Every environment; so it is without --env.")] = False,
) -> None:
    """Show all environments side by side, or one. Nothing is touched.

    Versions, in sync or not, gateways, last run, lock. Exit 1 where one could not be read.
    """
    from datetime import UTC, datetime

    from sohistio.errors import ExitCode
    from sohistio.output.console import console
    from sohistio.output.devops.found import tell_environments
    from sohistio.output.documents import print_answer
    from sohistio.output.standbys import standbys_view
    from sohistio.output.tables import show
    from sohistio.planning.status import status_of

    rows = status_of(_places(target, cluster, everything=all_))
    tell_environments(rows)
    if form.json:
        print_answer("Status", {"environments": [_document(row) for row in rows]})
    else:
        show(console(), _table(rows), standbys_view(rows, datetime.now(UTC)))
    raise typer.Exit(ExitCode.FAILED if any(row.problem for row in rows) else ExitCode.OK)


def _places(target: MaybeTarget, cluster: Cluster, *, everything: bool) -> list[Where]:
    """Raises UsageError."""
    import os
    from pathlib import Path

    from sohistio.environments.load import environment_names, find_environments_root, load_environment
    from sohistio.errors import UsageError
    from sohistio.planning.session import Where

    # What only a variable says is no contradiction to what is asked for.
    if everything and target.env == os.environ.get("SOHISTIO_ENV"):
        target = MaybeTarget(None, target.environments)
    if target.env is None and cluster.context == os.environ.get("SOHISTIO_CONTEXT"):
        cluster = Cluster(cluster.kubeconfig, None, cluster.auth)
    root = find_environments_root(target.environments, Path.cwd())
    known = environment_names(root)
    if target.env is not None and everything:
        raise UsageError("--env and --all exclude each other", todo="Give one of them.")
    if target.env is None and cluster.context is not None:
        raise UsageError(
            "--context names one cluster, and all environments are asked for", todo="Give --env with --context."
        )
    if target.env is not None and target.env not in known:
        load_environment(target.env, root, os.environ)  # says what is wrong with the name
    return [
        Where(name, target.environments, None, cluster.kubeconfig, cluster.context, auth=cluster.auth)
        for name in (known if target.env is None else [target.env])
    ]


def _table(rows: list[EnvironmentStatus]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2), pad_edge=False, header_style="bold")
    for column in _COLUMNS:
        table.add_column(column, overflow="fold", no_wrap=column in ("environment", "installed", "target"))
    for row in rows:
        if row.problem:
            known = (row.environment, row.cluster, row.installed or "?", row.target or "?")
            problem = Text(row.problem, style="red")
            table.add_row(*known, problem, _gateways(row), "", _lock(row) if row.lock else "")
            if row.hint:
                table.add_row("", "", "", "", Text(f"→ {row.hint}", style="dim"))
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
    from datetime import UTC, datetime

    return row.lock.line(datetime.now(UTC)) if row.lock else "free"


def _document(row: EnvironmentStatus) -> dict[str, Any]:
    from sohistio.model.record import run_document

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
        "standby": _standby_document(row.standby) if row.standby else None,
        "lock": {"holder": lock.identity, "since": lock.since.isoformat()} if lock else None,
        "problem": row.problem or None,
        "hint": row.hint or None,
    }


def _standby_document(found: StandbyStatus) -> dict[str, Any]:
    from datetime import UTC, datetime

    from sohistio.output.standbys import item_document

    return {
        "stage": found.stage or None,
        "recorded": found.recorded,
        "lastRehearsal": found.rehearsed.ended if found.rehearsed else None,
        "lastSync": found.synced.ended if found.synced else None,
        "lastSyncLeft": found.left if found.synced else None,
        "readiness": [item_document(item, datetime.now(UTC)) for item in found.readiness],
    }
