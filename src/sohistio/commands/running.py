"""What commands that write have in common: a session that says what it does, the plan carried out, the document."""

from __future__ import annotations

from collections.abc import Callable

from sohistio.output.console import console
from sohistio.output.documents import print_json
from sohistio.output.run_report import RunReport
from sohistio.planning.planned import Planned
from sohistio.planning.session import Session, Where
from sohistio.run.approval import Approval
from sohistio.run.carry_out import carry_out, ready_to_write
from sohistio.run.tools import Timeouts


def session_of(where: Where, *, one_of_several: bool = False) -> Session:
    """A session that says what it is doing on stderr; with `one_of_several`, for which environment."""
    out = console(stderr=True)
    prefix = f"{where.environment}: " if one_of_several else ""
    return Session(where, lambda line: out.print(f"{prefix}{line}", style="dim", soft_wrap=not out.is_terminal))


def planned_run(
    where: Where, planner: Callable[[Session], Planned], how: tuple[Approval, Timeouts], *, json: bool
) -> int:
    """Plan, show, ask, carry out, verify: the exit code. With `json`, stdout is the result's document."""
    result = carry_out(planner(ready_to_write(session_of(where))), *how, RunReport(stderr=json))
    if json:
        print_json(result.document())
    return result.exit_code
