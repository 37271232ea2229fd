"""The folder of environments: which one is in force, and a copy of the one that sohistio comes with."""

from __future__ import annotations

import shutil
from pathlib import Path

from sohistio.errors import UsageError

BASE = "base"
FILE = "environment.yaml"
FOLDER = "environments"
"""What a folder of environments is called where it is to be found by itself."""
_BUNDLED = "_environments"
TO_COPY = "`sohistio env init` copies sohistio's environments into a folder of your own."


def find_environments_root(explicit: Path | None, cwd: Path) -> Path:
    """The folder of environments: the one given, else `environments/` here or further up, else the bundled one.

    Raises UsageError where the one given is none, or one on the way has environments and no base. A folder
    `environments/` of something else is passed by.
    """
    if explicit is not None:
        if not _has_base(explicit):
            raise _without_base(explicit)
        return explicit
    for folder in (cwd, *cwd.parents):
        root = folder / FOLDER
        if _has_base(root):
            return root
        if environment_names(root):
            raise _without_base(root)
    return shipped_root()


def _has_base(root: Path) -> bool:
    return (root / BASE / FILE).is_file()


def _without_base(root: Path) -> UsageError:
    return UsageError(
        f"{root} is not a folder of environments",
        details=(f"{root / BASE / FILE} does not exist",),
        todo=f"Give the folder that holds base/ and one folder for each environment. {TO_COPY}",
    )


def shipped_root() -> Path:
    """The folder that sohistio comes with: the wheel's, in an editable install the checkout's."""
    package = Path(__file__).parents[1]
    bundled = package / _BUNDLED
    return bundled if bundled.is_dir() else package.parents[1] / FOLDER


def environment_names(root: Path) -> list[str]:
    """The names of the environments in `root`, sorted; `base` is none."""
    return sorted(file.parent.name for file in root.glob(f"*/{FILE}") if file.parent.name != BASE)


def is_bundled(root: Path) -> bool:
    """Whether the folder is part of the program, and nobody's to edit."""
    return root.name == _BUNDLED


def check_own(root: Path, do: str) -> None:
    """Raises UsageError where the folder is part of the program; `do` is what is meant to be done to it."""
    if is_bundled(root):
        raise UsageError(
            f"the environments that sohistio comes with are not yours to {do}",
            todo=f"{TO_COPY} If you have one, give it with --environments DIR, or go to the folder that it is in.",
        )


def copy_shipped(target: Path, source: Path | None = None) -> tuple[str, ...]:
    """Make `target` a copy of the folder that sohistio comes with, and give the environments' names.

    Raises UsageError where it is there already or cannot be written; then nothing is left of it.
    """
    source = source or shipped_root()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.mkdir()
    except FileExistsError as error:
        what = f"{target} is there already" if target.exists() else f"{error.filename} is no folder"
        raise UsageError(
            what, todo="Nothing was written. Give another folder, or edit the one that is there."
        ) from error
    except OSError as error:
        raise _not_written(target, error) from error
    try:
        for file in sorted(path for path in source.rglob("*") if path.is_file()):
            copy = target / file.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)  # not its mode: a program's files may be read-only
    except OSError as error:
        shutil.rmtree(target, ignore_errors=True)
        raise _not_written(target, error) from error
    return tuple(environment_names(target))


def _not_written(target: Path, error: OSError) -> UsageError:
    return UsageError(
        f"{target} cannot be written",
        details=(error.strerror or str(error),),
        todo=f"Nothing was written. Check the permissions of {target.parent}, then try again.",
    )
