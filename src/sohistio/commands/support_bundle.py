"""`sohistio support-bundle`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from sohistio.commands.examples import examples
from sohistio.commands.options import Cluster, Form, Target, Tool, output_option

if TYPE_CHECKING:
    from sohistio.run.support_bundle import Collected


@examples(
    "sohistio support-bundle --env qa",
    "sohistio support-bundle --env qa --out case-4711.tar.gz",
)
def support_bundle(
    target: Target,
    cluster: Cluster,
    tool: Tool,
    form: Form,
    out: Annotated[
        Path | None,
        output_option("--out", metavar="FILE", help="A new file; default: support-<env>-<time>.tar.gz."),
    ] = None,
    logs: Annotated[bool, output_option("--logs/--no-logs", help="Logs of istiod and of the gateways.")] = True,
) -> None:
    """Pack what somebody needs to help. No Secret is read.

    Versions, plan, record, events, logs, objects by chosen fields. What cannot be read is listed; the rest is packed.
    """
    from datetime import UTC, datetime

    from sohistio.commands.requests import where_of
    from sohistio.commands.sessions import session_of
    from sohistio.output.documents import json_text, print_answer
    from sohistio.planning.support import support_parts
    from sohistio.run.support_bundle import check_new, collect, write_archive
    from sohistio.system.streams import work_begins

    now = datetime.now(UTC)
    path = out or Path(f"support-{target.env}-{now:%Y%m%dT%H%M%SZ}.tar.gz")
    check_new(path)
    session = session_of(where_of(target, cluster, tool=tool))
    collected = collect(support_parts(session, logs=logs), json_text)
    work_begins()
    write_archive(path, session.environment.name, collected, now, json_text)
    if form.json:
        parts = [one.document() for one in collected]
        print_answer("SupportBundle", {"environment": session.environment.name, "file": str(path), "parts": parts})
    else:
        _show(path, collected)


def _show(path: Path, collected: Sequence[Collected]) -> None:
    from rich.table import Table
    from rich.text import Text

    from sohistio.model.words import counted
    from sohistio.output.console import console, say_folded
    from sohistio.output.tables import show

    table = Table(box=None, padding=(0, 1), show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for one in collected:
        if one.problem:
            table.add_row(Text("‼", style="yellow"), one.part.name, one.problem)
            continue
        more = "; read it before you send it: others wrote it" if one.part.free_text and one.bytes else ""
        sizes = f"{counted(len(one.files), 'file')}, {one.bytes} bytes{more}"
        table.add_row(Text("√", style="green"), one.part.name, sizes)
    show(console(), table)
    say_folded(
        f"{path} is written, readable by you only. docs/support.md says what is in it, and what to look at first."
    )
