"""`sohistio install`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sohistio.commands.examples import examples
from sohistio.commands.options import (
    BackupContent,
    Cluster,
    ComponentLimit,
    Confirm,
    Form,
    Limit,
    OptionGroup,
    Release,
    Route,
    Skip,
    Target,
    Tool,
    Yes,
    change_option,
)
from sohistio.commands.reason import Reason
from sohistio.commands.restart_options import RestartShare

if TYPE_CHECKING:
    from sohistio.planning.planned import Planned
    from sohistio.run.approval import Approval
    from sohistio.run.reporter import Reporter
    from sohistio.run.tools import Timeouts


class Care(OptionGroup):
    """What was approved before, and what happens when the run fails."""

    plan_file: Annotated[
        Path | None,
        change_option("--plan", metavar="FILE", help="Refuse if the plan differs from FILE."),
    ] = None
    rollback_on_failure: Annotated[
        bool,
        change_option("--rollback-on-failure", help="Go back to the recorded version."),
    ] = False


@examples(
    "sohistio install --env qa",
    "sohistio install --env qa --version 1.31.1 --yes",
    "sohistio install --env prod --plan prod.plan --yes --rollback-on-failure",
    "sohistio install --env dev --mode reinstall --version 1.30.5 --yes",
)
def install(
    target: Target,
    cluster: Cluster,
    release: Release,
    tool: Tool,
    route: Route,
    skip: Skip,
    backup: BackupContent,
    yes: Yes,
    confirm: Confirm,
    reason: Reason,
    portion: RestartShare,
    component: ComponentLimit,
    limit: Limit,
    care: Care,
    form: Form,
) -> None:
    """Work out install, upgrade, reinstall or nothing, and do it."""
    import os

    from sohistio.commands.requests import approval_of, request_of, timeouts_of, where_of
    from sohistio.commands.sessions import session_of
    from sohistio.system.sealing import passphrase

    where = where_of(target, cluster, release=release, tool=tool, skip=skip, reason=reason)
    request = request_of(route, skip, backup, portion)
    how = (approval_of(yes, confirm), timeouts_of(component, limit))
    if request.include_ca:
        passphrase(os.environ)  # better to miss it now than half way
    session = session_of(where)
    session.render_ahead()
    # istioctl is at work while these are imported.
    from sohistio.output.documents import print_json
    from sohistio.output.plan_file import check_approved, read_approved
    from sohistio.output.reports import reporter_for
    from sohistio.planning.install import plan_install
    from sohistio.run.carry_out import carry_out, ready_to_write
    from sohistio.run.gate import Gate
    from sohistio.run.go_back import calls_for_rollback

    approved = read_approved(care.plan_file) if care.plan_file is not None else None
    reporter = reporter_for(stderr=form.json)
    with ready_to_write(session):
        planned = plan_install(session, request, brief=True)
        if approved is not None:
            check_approved(approved, planned.plan)
        result = carry_out(planned, *how, reporter, Gate(all=True))
    document = result.document()
    if care.rollback_on_failure and calls_for_rollback(result):
        document["rollback"] = _went_back(planned, how, reporter)
    if form.json:
        print_json(document)
    raise typer.Exit(result.exit_code)


def _went_back(planned: Planned, how: tuple[Approval, Timeouts], reporter: Reporter) -> dict[str, object]:
    """The rollback's document. The exit code stays the failed run's, however this ends: something was touched."""
    from sohistio.errors import SohistioError
    from sohistio.output.console import console
    from sohistio.output.documents import error_answer
    from sohistio.output.error_text import print_error
    from sohistio.run.carry_out import carry_out
    from sohistio.run.go_back import approval_for_rollback, rollback_of
    from sohistio.run.notify import refusals_sent

    approval, timeouts = how
    console(stderr=True).print("Rolling back, as --rollback-on-failure asks.")
    try:
        with refusals_sent(planned.session):
            back = rollback_of(planned)
            approved = approval_for_rollback(back.plan, planned.plan, approval)
            return carry_out(back, approved, timeouts, reporter).document()
    except SohistioError as error:
        print_error(error)
        return error_answer(error)
