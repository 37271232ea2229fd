"""What a person wants of every command: the file of their own defaults, read and validated.

A key is the name of a variable without SOHISTIO_, in camelCase. Only what tells commands where to look and how to show
it can have a default; what approves or decides is given each time.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Mapping
from pathlib import Path

from sohistio.environments.yaml_files import Problem, invalid, read_document, unknown_key
from sohistio.errors import UsageError
from sohistio.model.auth import Auth
from sohistio.model.durations import seconds_of
from sohistio.system.paths import expanded

_TODO = "Correct the lines named; docs/configuration.md has every key."
_EACH_TIME = "approves or decides something, so it has no default: give it on the command line each time"
_ONE_CLUSTER = "names one cluster, and as a default would be taken for every environment"
_ONE_VERSION = "goes with one version, and as a default would be taken for every other one, too"

NO_DEFAULT: Mapping[str, str] = {
    **dict.fromkeys(("yes", "confirm", "accept", "because", "reason", "skipCheck", "plan"), _EACH_TIME),
    **dict.fromkeys(("version", "mode", "via", "includeCa", "ca", "rollbackOnFailure", "overwrite"), _EACH_TIME),
    **dict.fromkeys(("purge", "withSidecars", "restartWorkloads", "drainProd"), _EACH_TIME),
    **dict.fromkeys(("limit", "outsideWindows", "at"), _EACH_TIME),
    "kubeconfig": _ONE_CLUSTER,
    "context": _ONE_CLUSTER,
    "istioctl": _ONE_VERSION,
    "bundle": _ONE_VERSION,
}
"""Options that have no default, and why."""


def _one_of(*choices: str) -> Callable[[str], str]:
    def checked(value: str) -> str:
        if value not in choices:
            raise ValueError(f"expected {', '.join(choices[:-1])} or {choices[-1]}")
        return value

    return checked


def _text(value: str) -> str:
    if not value.strip():
        raise ValueError("expected text")
    return value


def _duration(value: str) -> str:
    seconds_of(value)
    return value


KEYS: Mapping[str, Callable[[str], str]] = {
    "env": _text,
    "environments": _text,
    "auth": _one_of(*Auth),
    "output": _one_of("table", "json"),
    "timeout": _duration,
    "componentTimeout": _duration,
}
"""The keys of the file, each with what checks its value."""


def user_defaults(path: Path, variables: Mapping[str, str]) -> dict[str, str]:
    """The defaults of a file, by key; a folder of environments is one seen from the file's own folder.

    Raises UsageError for a file that cannot be read, that others may write, or in which something is wrong.
    """
    _check_safe(path)
    document = read_document(path, str(path), variables)
    found: dict[str, str] = {}
    problems = [_without_default(problem) for problem in document.problems]
    for key, value in document.data.items():
        if (key,) in document.unread:
            continue
        try:
            found[key] = _checked(key, value)
        except ValueError as error:
            problems.append(document.problem((key,), str(error)))
    if problems:
        raise invalid(f"your defaults in {path} are not valid", problems, _TODO)
    if "environments" in found:
        found["environments"] = str(path.parent / expanded(found["environments"]))
    return found


def _without_default(problem: Problem) -> Problem:
    """To YAML `yes` is not text but true; what is wrong with it is something else."""
    key = re.match(r"the key (\w+) is not text", problem.text)
    if key and (reason := NO_DEFAULT.get(key[1].lower())):
        return Problem(problem.file, problem.line, key[1], reason)
    return problem


def _checked(key: str, value: object) -> str:
    """Raises ValueError."""
    first, *others = key.lstrip("-").replace("_", "-").split("-")
    if reason := NO_DEFAULT.get(first + "".join(word.capitalize() for word in others)):
        raise ValueError(reason)
    if key not in KEYS:
        raise ValueError(unknown_key(key, KEYS))
    try:
        return KEYS[key](value if isinstance(value, str) else "")
    except ValueError as error:
        raise ValueError(f"{error}, got {'nothing' if value is None else repr(value)}") from None


def _check_safe(path: Path) -> None:
    """Raises UsageError: who may write the file decides where a person's commands lead."""
    try:
        info = path.stat()
    except OSError as error:
        raise UsageError(
            f"your defaults in {path} cannot be read: {error.strerror}",
            todo="Correct SOHISTIO_CONFIG, or leave it out.",
        ) from error
    if not stat.S_ISREG(info.st_mode):
        if path != Path(os.devnull):
            raise UsageError(f"{path} is not a file", todo="Correct SOHISTIO_CONFIG; /dev/null stands for no defaults.")
    elif hasattr(os, "geteuid"):  # Windows has neither owners nor modes of this kind
        if info.st_uid not in (0, os.geteuid()):
            raise UsageError(
                f"your defaults in {path} belong to another user",
                todo="Nothing was read. Name a file of your own: they decide which environment is worked on.",
            )
        if info.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise UsageError(
                f"your defaults in {path} can be written by others",
                todo=f"Nothing was read. Run `chmod go-w {path}`: they decide which environment is worked on.",
            )
