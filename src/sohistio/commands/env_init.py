"""`sohistio env init`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sohistio.commands.examples import examples


@examples(
    "sohistio env init                # the folder environments, here",
    "sohistio env init ~/mesh/environments",
)
def init_environments(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The folder to make. Default: environments.")] = Path(
        "environments"
    ),
) -> None:
    """Make a folder of environments of your own, to edit.

    A copy of the one that sohistio comes with. A folder that is there already is left alone: exit code 2.
    """
    from sohistio.environments.root import BASE, FOLDER, copy_shipped
    from sohistio.output.console import say
    from sohistio.system.streams import work_begins

    work_begins()
    names = copy_shipped(folder)
    say(f"{folder}: {BASE}, which all share, and {', '.join(names)}")
    if folder.name == FOLDER:
        say(f"Commands that are run in {folder.absolute().parent} or below it use this folder from now on.")
    else:
        say(f"Give it with --environments {folder}, or set SOHISTIO_ENVIRONMENTS to {folder.absolute()}.")
    say("Delete what you do not have, edit the rest, keep it under version control. `sohistio env validate` checks it.")
