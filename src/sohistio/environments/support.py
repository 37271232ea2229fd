"""Tables of what goes with an Istio minor: shipped as data, overridable beside environments."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from sohistio.environments.yaml_files import invalid, read_document
from sohistio.errors import UsageError
from sohistio.model.gateway_api import Limit
from sohistio.model.versions import Version

_T = TypeVar("_T")
_MINOR = re.compile(r"1\.([0-9]{1,3})")
_RELEASE = re.compile(r"([0-9]{1,3})\.([0-9]{1,3})")
_SHIPPED = Path(__file__).parent


def kubernetes_support(root: Path) -> dict[str, tuple[int, int]]:
    """Istio minor → oldest and newest Kubernetes minor. Raises UsageError that names file and line."""
    expected = 'expected "1.31": ["1.32", "1.36"] (oldest and newest)'
    return _table(root, "kubernetes-support.yaml", _bounds, expected)


def gateway_api_limits(root: Path) -> dict[tuple[int, int], Limit]:
    """Istio minor → from which Gateway API release on its istiod does not get ready. Raises UsageError like above."""
    expected = 'expected "1.29": ["1.5", "1.29.2"] (Gateway API release, first patch that is fixed), or []'
    table = _table(root, "gateway-api-support.yaml", _limit, expected)
    return {(1, int(minor.partition(".")[2])): limit for minor, limit in table.items() if limit is not None}


def _table(root: Path, name: str, read: Callable[[str, list[str]], _T], expected: str) -> dict[str, _T]:
    """The shipped file with the one beside the environments laid over it; `read` raises ValueError for a bad entry."""
    table: dict[str, _T] = {}
    for path in (_SHIPPED / name, root / name):
        if not path.is_file():
            continue
        document = read_document(path, str(path), {})
        problems = list(document.problems)
        for minor, entry in document.data.items():
            try:
                if not isinstance(entry, list) or _MINOR.fullmatch(minor) is None:
                    raise ValueError
                table[minor] = read(minor, [str(item) for item in entry])
            except ValueError:
                problems.append(document.problem((minor,), expected))
        if problems:
            raise invalid(f"{path.name} is not valid", problems)
    return table


def _bounds(_: str, entry: list[str]) -> tuple[int, int]:
    oldest, newest = entry
    found = _MINOR.fullmatch(oldest), _MINOR.fullmatch(newest)
    if found[0] is None or found[1] is None:
        raise ValueError
    return int(found[0][1]), int(found[1][1])


def _limit(minor: str, entry: list[str]) -> Limit | None:
    if not entry:
        return None
    release, *patches = entry
    found = _RELEASE.fullmatch(release)
    if found is None or len(patches) > 1:
        raise ValueError
    return Limit((int(found[1]), int(found[2])), _patch(minor, patches[0]) if patches else None)


def _patch(minor: str, text: str) -> int:
    try:
        version = Version.parse(text)
    except UsageError as error:
        raise ValueError from error
    if f"{version.major}.{version.minor}" != minor:
        raise ValueError
    return version.patch
