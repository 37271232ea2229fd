"""An environment's file that a command edits: whose it may be, its diff, and the write."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import TYPE_CHECKING

from sohistio.errors import UsageError

if TYPE_CHECKING:
    from sohistio.environments.file_edit import FileEdit


def own_root(environments: Path | None, do: str = "change") -> Path:
    """The folder of environments, where it is the user's own; `do` is what is meant to be done to them.

    Raises UsageError for the one of the package.
    """
    from sohistio.environments.root import check_own, find_environments_root

    root = find_environments_root(environments, Path.cwd())
    check_own(root, do)
    return root


def write_edited(edit: FileEdit) -> None:
    """Write the text in place of the one that was read. Raises UsageError."""
    from sohistio.system.replaced_file import replace_text
    from sohistio.system.streams import work_begins

    work_begins()
    try:
        replace_text(edit.path, edit.before, edit.after)
    except OSError as error:
        if error.errno == errno.ESTALE:
            raise UsageError(
                f"{edit.file} was changed meanwhile", todo="Nothing was written. Run the same command again."
            ) from error
        raise UsageError(
            f"{edit.file} cannot be written",
            details=(error.strerror or str(error),),
            todo=f"Nothing was written. Check the permissions of the file and of {edit.path.parent}, then try again.",
        ) from error
