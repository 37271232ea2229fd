"""`sohistio sync`."""

from __future__ import annotations

from typing import Annotated

import typer

from sohistio.commands.examples import examples
from sohistio.commands.options import (
    AuthKind,
    Confirm,
    Folder,
    Form,
    Limit,
    Yes,
    change_option,
    environment_names,
    target_option,
)
from sohistio.commands.reason import Reason
from sohistio.model.auth import Auth


@examples(
    "sohistio sync --from prod --to dr --check",
    "sohistio sync --from prod --to dr --yes --confirm dr",
)
def sync(
    source: Annotated[
        str,
        target_option(
            "--from", metavar="NAME", autocompletion=environment_names, help="The environment that is only read."
        ),
    ],
    target: Annotated[
        str,
        target_option("--to", metavar="NAME", autocompletion=environment_names, help="Its standby, which is changed."),
    ],
    yes: Yes,
    confirm: Confirm,
    reason: Reason,
    limit: Limit,
    form: Form,
    check: Annotated[bool, change_option("--check", help="Change nothing; exit 4 when the two differ.")] = False,
    full: Annotated[bool, change_option("--full", help="With --check: long values are not folded.")] = False,
    environments: Folder = None,
    auth: AuthKind = Auth.AUTO,
) -> None:
    """Make a standby's configuration the same as its source's.

    Environment files, certificates and trust roots are compared, too; a difference is reported with what to do.
    """
    from rich.text import Text

    from sohistio.commands.requests import approval_of, timeouts_of
    from sohistio.commands.sessions import session_of
    from sohistio.errors import ExitCode, UsageError
    from sohistio.output.console import console
    from sohistio.output.devops.agent import asked_about, looked
    from sohistio.output.devops.found import tell_differences
    from sohistio.output.documents import print_json
    from sohistio.output.reports import reporter_for
    from sohistio.output.sync_view import comparison_view, left_over, verdict
    from sohistio.output.tables import plan_view, show
    from sohistio.planning.session import Where
    from sohistio.planning.sync import check_standby, plan_sync
    from sohistio.planning.sync_reads import naming
    from sohistio.planning.target_cluster import check_right_cluster
    from sohistio.run.carry_out import await_ready, carry_out
    from sohistio.run.notify import refusals_sent

    asked_about(target)
    if full and not check:
        raise UsageError("--full goes with --check", todo="Only the comparison shows values.")
    places = [Where(name, environments, auth=auth, cause=reason.cause) for name in (source, target)]
    sessions = [session_of(where, one_of_several=True) for where in places]
    how = (approval_of(yes, confirm), timeouts_of(None, limit))
    check_standby(*sessions)
    if check:
        with naming(sessions[1]):
            check_right_cluster(sessions[1])
        found = plan_sync(*sessions)
        looked(target, found.planned.plan)
        tell_differences(found.comparison)
        if form.json:
            print_json(found.comparison.document(found.planned.plan.refusal))
        else:
            parts = (comparison_view(found.comparison), plan_view(found.planned.plan, diff=True, full=full))
            show(console(), *parts, verdict(found.comparison, found.planned.plan.refusal))
        raise typer.Exit(ExitCode.OK if found.comparison.equal else ExitCode.CHANGES_PENDING)
    out = console(stderr=form.json)
    with refusals_sent(sessions[1]):
        with naming(sessions[1]):
            await_ready(sessions[1])
        found = plan_sync(*sessions)
        tell_differences(found.comparison)
        show(out, comparison_view(found.comparison), Text(""))
        result = carry_out(found.planned, *how, reporter_for(stderr=form.json))
    if result.error is None and (left := left_over(found.comparison)):
        out.print(left, style="yellow")
    if form.json:
        print_json(found.comparison.document(found.planned.plan.refusal, result.document()))
    raise typer.Exit(result.exit_code)
