"""uninstall: the way back from a mesh."""

from __future__ import annotations

import os

from sohistio.commands.carry_out import carry_out, ready_to_write
from sohistio.commands.common import Approval, Timeouts, errors_as_json, print_json, session_of
from sohistio.errors import UsageError
from sohistio.model.footprint import Removal
from sohistio.planning.session import Where
from sohistio.planning.uninstall import plan_uninstall
from sohistio.system.sealing import passphrase


def uninstall(where: Where, asked: Removal, approval: Approval, timeouts: Timeouts, *, json: bool) -> int:
    """`sohistio uninstall`: plan, show, ask, take away, verify that it is gone."""
    with errors_as_json(json):
        if asked.include_ca and not asked.purge:
            raise UsageError("--include-ca goes with --purge", todo="Without --purge the CA stays where it is.")
        if asked.include_ca:
            passphrase(os.environ)  # better to miss it now than half way
        result = carry_out(plan_uninstall(ready_to_write(session_of(where)), asked), approval, timeouts, json=json)
    if json:
        print_json(result.document())
    return result.exit_code
