"""Who runs sohistio, and where: for the lock, the record and the webhook."""

from __future__ import annotations

import getpass
import os
import socket
import uuid

from sohistio.planning.session import Session
from sohistio.run.recorder import Origin
from sohistio.system.sanitize import one_line


def origin_of(session: Session) -> Origin:
    """A new run's origin, with an id of its own."""
    where = session.where
    return Origin(
        uuid.uuid4().hex[:12], person(), socket.gethostname(), session.environment.digest(), where.cause.reason
    )


def person() -> str:
    """The person who started the pipeline under Azure DevOps, else the user of this machine."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return one_line(os.environ.get("BUILD_REQUESTEDFOR") or user)
