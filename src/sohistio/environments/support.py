"""The table of Kubernetes versions that each Istio minor supports: shipped as data, overridable beside environments."""

from __future__ import annotations

import re
from pathlib import Path

from sohistio.environments.yamlfiles import invalid, read_document

_MINOR = re.compile(r"1\.([0-9]{1,3})")
_SHIPPED = Path(__file__).parents[1] / "kubernetes-support.yaml"


def kubernetes_support(root: Path) -> dict[str, tuple[int, int]]:
    """Istio minor → oldest and newest Kubernetes minor. Raises UsageError that names file and line."""
    table: dict[str, tuple[int, int]] = {}
    for path in (_SHIPPED, root / "kubernetes-support.yaml"):
        if not path.is_file():
            continue
        document = read_document(path, str(path), {})
        problems = list(document.problems)
        for minor, bounds in document.data.items():
            found = [_MINOR.fullmatch(str(bound)) for bound in bounds] if isinstance(bounds, list) else []
            if len(found) == 2 and found[0] and found[1] and _MINOR.fullmatch(minor):
                table[minor] = int(found[0][1]), int(found[1][1])
            else:
                problems.append(document.problem((minor,), 'expected "1.31": ["1.32", "1.36"] (oldest and newest)'))
        if problems:
            raise invalid(f"{path.name} is not valid", problems)
    return table
