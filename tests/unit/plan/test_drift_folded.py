"""Long values and the schemas of CRDs, folded into a line each; whole on demand."""

from __future__ import annotations

from typing import Any

import pytest

from sohistio.plan.changes import FieldChange
from sohistio.plan.drift.folded import diff_lines
from sohistio.plan.drift.values import all_lines

SCHEMA = "spec.versions[v1].schema.openAPIV3Schema.properties"
TEXT = "\n".join(f"line {number}" for number in range(2000))


def field(path: str, before: Any, after: Any, manager: str = "") -> FieldChange:
    return FieldChange(path, before, after, manager)


CHANGED = ("  @@ -1998,3 +1998,3 @@", "   line 1997", "   line 1998", "  -line 1999", "  +line 1999!")


@pytest.mark.parametrize(
    ("fields", "lines"),
    [
        ([field("spec.maxReplicas", 20, 10, "kubectl-edit")], ["spec.maxReplicas: 20 → 10 (set by kubectl-edit)"]),
        ([field("data.x", None, TEXT)], ["data.x: 2,000 lines differ; --full shows them"]),
        ([field("data.x", TEXT, f"{TEXT}!", "me")], ["data.x: (set by me)", *CHANGED]),
        ([field("a", None, "b" * 400)], ["a: 1 line differs; --full shows them"]),
        (
            [field(f"{SCHEMA}.p{n:02}.description", "old", "new", "kubectl-edit") for n in range(20)],
            ["spec.versions[v1].schema: 40 lines differ (set by kubectl-edit); --full shows them"],
        ),
        (
            [field(f"{SCHEMA}.p.description", "old", "new")],
            [f"{SCHEMA}.p.description: old → new"],
        ),
        (
            [
                field("metadata.labels.a", "1", "2"),
                *(field(f"spec.versions[{v}].schema.openAPIV3Schema", None, {"x": [TEXT]}) for v in ("v1", "v2")),
                field("spec.x", None, 1),
            ],
            [
                "metadata.labels.a: 1 → 2",
                "spec.versions[v1].schema: 5 lines differ; --full shows them",
                "spec.versions[v2].schema: 5 lines differ; --full shows them",
                "spec.x: (none) → 1",
            ],
        ),
    ],
)
def test_folded(fields: list[FieldChange], lines: list[str]) -> None:
    assert list(diff_lines(fields, full=False)) == lines


def test_in_full_nothing_is_lost() -> None:
    fields = [field("data.x", None, TEXT), field(f"{SCHEMA}.p", None, {"type": "string"})]
    assert list(diff_lines(fields, full=True)) == [line for item in fields for line in all_lines(item)]
    assert sum(line.strip().startswith("+line ") for line in diff_lines(fields, full=True)) == 2000
