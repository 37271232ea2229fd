"""The session of a command. Apart from what runs plans: a command that only reads does not import that."""

from __future__ import annotations

from sohistio.output.console import console
from sohistio.planning.session import Session, Where


def session_of(where: Where, *, one_of_several: bool = False) -> Session:
    """A session that says what it is doing on stderr; with `one_of_several`, for which environment."""
    out = console(stderr=True)
    prefix = f"{where.environment}: " if one_of_several else ""
    return Session(where, lambda line: out.print(f"{prefix}{line}", style="dim", soft_wrap=not out.is_terminal))
