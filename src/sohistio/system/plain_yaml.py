"""YAML that anybody may have written, read with an end: a text of a few KiB can be nested deeper than any stack."""

from __future__ import annotations

from typing import Any

DEEPEST = 100
"""Levels. Read in C, some ten thousand of them end the process itself."""


def loaded(text: str, *, aliases: bool = True) -> Any:
    """The first document of a text, as plain values. Raises ValueError for what is none, or is nested deeper.

    Without `aliases` a text that has one is refused: nine lines of them can stand for a milliard of values, which who
    goes through the result will meet.
    """
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        level = 0
        for event in yaml.parse(text, Loader=loader):
            if isinstance(event, yaml.CollectionStartEvent):
                level += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                level -= 1
            elif isinstance(event, yaml.AliasEvent) and not aliases:
                raise ValueError("it has an alias")
            if level > DEEPEST:
                raise ValueError(f"it is nested deeper than {DEEPEST} levels")
        return yaml.load(text, Loader=loader)  # noqa: S506 - it is a safe one
    # What a tag makes of a text is no error of YAML's to PyYAML: `!!bool x`, `!!timestamp x`, a date 2026-02-31.
    except (yaml.YAMLError, LookupError, AttributeError, TypeError, OverflowError) as error:
        raise ValueError(str(error)) from error
