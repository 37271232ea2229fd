"""What holds restarts back on an environment, as of now."""

from __future__ import annotations

from datetime import UTC, datetime

from sohistio.model.restart_policy import Restraint, Share
from sohistio.model.restart_times import Moment
from sohistio.planning.session import Session


def restraint_of(
    session: Session, share: Share | None = None, *, outside_windows: bool = False, at: Moment | None = None
) -> Restraint:
    """The environment's policy at this moment, or `at` another one, and what the command line says."""
    return Restraint(session.environment.restart_policy(), at or datetime.now(UTC), outside_windows, share)
