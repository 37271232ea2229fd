"""`sohistio sync`."""

from __future__ import annotations

from typing import Annotated

import typer

from sohistio.commands.moving import Places
from sohistio.commands.options import (
    ComponentLimit,
    Confirm,
    Form,
    Limit,
    Target,
    Yes,
    environment_names,
    output_option,
)


def sync(
    source: Annotated[
        str,
        typer.Option(
            "--from", metavar="NAME", rich_help_panel="Target", autocompletion=environment_names, help="As this one is."
        ),
    ],
    to: Annotated[
        str,
        typer.Option(
            "--to", metavar="NAME", rich_help_panel="Target", autocompletion=environment_names, help="The standby."
        ),
    ],
    places: Places,
    yes: Yes,
    confirm: Confirm,
    component: ComponentLimit,
    limit: Limit,
    form: Form,
    check: Annotated[bool, output_option("--check", help="Exit 4 where they differ; nothing is touched.")] = False,
) -> None:
    """Make a standby's mesh configuration as the other environment's."""
    from sohistio.commands.requests import approval_of, timeouts_of, where_of
    from sohistio.commands.running import session_of
    from sohistio.errors import ExitCode, UsageError
    from sohistio.output.console import console
    from sohistio.output.documents import print_json
    from sohistio.output.run_report import RunReport
    from sohistio.output.sync_report import document
    from sohistio.planning.sync import plan_sync
    from sohistio.run.carry_out import carry_out, ready_to_write

    sides = [session_of(where_of(Target(name, places.environments))) for name in (source, to)]
    if sides[1].environment.standby_of != source:
        raise UsageError(
            f"{to} does not stand by for {source}",
            todo="Sync goes from an environment to the one that names it as standbyOf.",
        )
    how = (approval_of(yes, confirm), timeouts_of(component, limit))
    if not check:
        ready_to_write(sides[1])
    found = plan_sync(*sides)
    reporter = RunReport(stderr=form.json)
    for line in found.beyond:
        console(stderr=form.json).print(f"differs: {line}")
    if check:
        if form.json:
            print_json(document(source, found))
        else:
            reporter.plan(found.planned.plan)
        raise typer.Exit(ExitCode.CHANGES_PENDING if found.differs else ExitCode.OK)
    result = carry_out(found.planned, *how, reporter)
    if form.json:
        print_json(document(source, found, result))
    raise typer.Exit(result.exit_code)
