"""What commands that write have in common: the plan carried out, and the document."""

from __future__ import annotations

from collections.abc import Callable

from sohistio.commands.sessions import session_of
from sohistio.output.devops.agent import looked
from sohistio.output.documents import print_json
from sohistio.output.reports import reporter_for
from sohistio.output.shown_plan import show_plan
from sohistio.planning.planned import Planned
from sohistio.planning.session import Session, Where
from sohistio.planning.target_cluster import check_right_cluster
from sohistio.run.approval import Approval
from sohistio.run.carry_out import carry_out, ready_to_write
from sohistio.run.tools import Timeouts


def planned_run(
    where: Where, planner: Callable[[Session], Planned], how: tuple[Approval, Timeouts], *, json: bool
) -> int:
    """Plan, show, ask, carry out, verify: the exit code. With `json`, stdout is the result's document."""
    with ready_to_write(session_of(where)) as session:
        result = carry_out(planner(session), *how, reporter_for(stderr=json))
    if json:
        print_json(result.document())
    return result.exit_code


def only_planned(where: Where, planner: Callable[[Session], Planned], *, json: bool) -> int:
    """Plan and show; nothing is touched: the exit code, 3 where a run would be refused."""
    session = session_of(where)
    check_right_cluster(session)
    planned = planner(session)
    looked(planned.plan.environment, planned.plan)
    return show_plan(planned, json=json)
