"""restore: what a backup has, put back."""

from __future__ import annotations

from sohistio.commands.carry_out import carry_out, ready_to_write
from sohistio.commands.common import Approval, Timeouts, errors_as_json, print_json, session_of
from sohistio.planning.restore import RestoreRequest, plan_restore
from sohistio.planning.session import Where


def restore(where: Where, request: RestoreRequest, approval: Approval, *, json: bool) -> int:
    """`sohistio restore`: show what would be created and changed, ask, put it back."""
    with errors_as_json(json):
        planned = plan_restore(ready_to_write(session_of(where)), request)
        result = carry_out(planned, approval, Timeouts(), json=json)
    if json:
        print_json(result.document())
    return result.exit_code
