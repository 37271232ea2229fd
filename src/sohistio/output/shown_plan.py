"""A plan that is only looked at: as it is, and why it would be refused."""

from __future__ import annotations

from sohistio.errors import ExitCode
from sohistio.output.console import console
from sohistio.output.documents import print_json
from sohistio.output.error_text import print_error
from sohistio.output.tables import plan_view, show
from sohistio.planning.planned import Planned


def show_plan(planned: Planned, *, json: bool, diff: bool = False, full: bool = False, last: str = "") -> int:
    """Print the plan on stdout, as tables with the line `last`, or as its document: the exit code, 3 where a run would
    be refused, and why on stderr. `diff` and `full` are as `plan_view` has them; `full` is a `diff`, too.
    """
    plan = planned.plan
    if json:
        print_json(plan.document())
    else:
        show(console(), plan_view(plan, diff=diff or full, full=full))
        if last:
            console().print(last)
    if plan.refusal:
        print_error(planned.refusal)
        return int(ExitCode.REFUSED)
    return int(ExitCode.OK)
