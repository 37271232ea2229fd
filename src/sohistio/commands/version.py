"""`sohistio version`."""

from __future__ import annotations

import typer

from sohistio import __version__
from sohistio.commands.examples import examples


@examples("sohistio version")
def version() -> None:
    """Print sohistio's own version."""
    typer.echo(__version__)
