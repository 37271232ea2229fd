"""Changed fields as lines of a diff: whole, or with long values and the schemas of CRDs folded into a line each."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from sohistio.plan.changes import FieldChange
from sohistio.plan.drift.values import all_lines, set_by

_MOST_LINES = 12
_LONGEST_LINE = 300
# One release of Istio changes hundreds of descriptions in a CRD's schema.
_SCHEMA = re.compile(r"(.*?\.schema)\.openAPIV3Schema(?:[.\[]|$)")


def diff_lines(fields: Sequence[FieldChange], *, full: bool) -> Iterator[str]:
    """The lines of a diff; folded, unless in `full`, as `spec.versions[v1].schema: 1,204 lines differ`."""
    for place, together in groupby(fields, key=_place):
        found = list(together)
        lines = [line for field in found for line in all_lines(field)]
        if full or (len(lines) <= _MOST_LINES and all(len(line) <= _LONGEST_LINE for line in lines)):
            yield from lines
            continue
        managers = sorted({field.manager for field in found if field.manager})
        count = sum(map(_lines_that_differ, found))
        differ = "1 line differs" if count == 1 else f"{count:,} lines differ"
        yield f"{place}: {differ}{set_by(', '.join(managers))}; --full shows them"


def _place(field: FieldChange) -> str:
    """The path of a field; of one in the schema of a CRD the schema's."""
    schema = _SCHEMA.match(field.path)
    return schema[1] if schema else field.path


def _lines_that_differ(field: FieldChange) -> int:
    before, after = _pretty(field.before), _pretty(field.after)
    changed = difflib.unified_diff(before, after, lineterm="", n=0)
    return sum(line.startswith(("-", "+")) for line in list(changed)[2:])


def _pretty(value: Any) -> list[str]:
    if value is None:
        return []
    return (value if isinstance(value, str) else json.dumps(value, indent=1, sort_keys=True)).splitlines()
