"""`sohistio images mirror`."""

from __future__ import annotations

from typing import Annotated

import typer

from sohistio.commands.examples import examples
from sohistio.commands.options import Form, OptionGroup, Release, Target, Tool, Yes, output_option


class Shown(OptionGroup):
    """Whether there is more than the plan."""

    plan: Annotated[bool, output_option("--plan", help="Show what would be copied; nothing is touched.")] = False


@examples(
    "sohistio images mirror --env qa --plan",
    "sohistio images mirror --env qa --version 1.31.1 --yes",
)
def mirror_images(
    target: Target,
    release: Release,
    tool: Tool,
    yes: Yes,
    form: Form,
    shown: Shown,
    jobs: Annotated[
        int, typer.Option("--jobs", metavar="N", min=1, max=16, help="Images that are copied at once.")
    ] = 4,
) -> None:
    """Copy the images of a version to istio.hub, and pin their digests.

    Digests and all platforms are kept. What is there with the right digest is skipped; no cluster is asked. Exit 1
    where an image is refused or failed: the others are copied.
    """
    from sohistio.adapters.registry.copy_tools import find_tool
    from sohistio.commands.requests import where_of
    from sohistio.commands.sessions import session_of
    from sohistio.errors import ExitCode
    from sohistio.images.mirroring import Action
    from sohistio.output.documents import print_answer
    from sohistio.output.mirror_report import MirrorReport, plan_document, result_document
    from sohistio.planning.mirroring import both_sides, plan_mirror
    from sohistio.run.mirror import approve_mirror, means_for, mirror, ready_to_pin
    from sohistio.system.streams import work_begins

    session = session_of(where_of(target, release=release, tool=tool))
    report = MirrorReport(stderr=form.json)
    if not shown.plan:
        ready_to_pin(session)
    with both_sides(session) as sides:
        plan = plan_mirror(session, sides)
        if shown.plan and form.json:
            print_answer("ImageMirror", plan_document(plan))
        else:
            report.plan(plan)
        if shown.plan:
            raise typer.Exit(ExitCode.FAILED if plan.of(Action.REFUSE) else ExitCode.OK)
        copier = find_tool(sides.trusted) if plan.copies else None
        approve_mirror(plan, report, yes=yes.yes)
        work_begins()
        result = mirror(plan, means_for(sides, copier, jobs, plan), report)
    if form.json:
        print_answer("ImageMirror", result_document(result))
    report.result(result)
    raise typer.Exit(result.exit_code)
