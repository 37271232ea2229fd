"""A YAML text as nodes: what reads them, checks them and writes them again goes down as deep as they do."""

from __future__ import annotations

from functools import lru_cache

import yaml

DEEPEST = 100
"""Levels: no environment has a tenth of them, and Python's stack would end at some hundreds."""


class TooDeepError(yaml.MarkedYAMLError):
    """Nested deeper than DEEPEST."""


@lru_cache(maxsize=32)
def composed(text: str) -> yaml.Node | None:
    """The nodes of a text, which nobody changes: each environment is read over base's files. Raises YAMLError."""
    loader = _Loader(text)
    try:
        return loader.get_single_node()
    finally:
        loader.dispose()


class _Loader(yaml.SafeLoader):
    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._levels = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self._levels += 1
        if self._levels > DEEPEST:
            raise TooDeepError(problem="nested too deeply", problem_mark=self.peek_event().start_mark)  # type: ignore[no-untyped-call]
        node = super().compose_node(parent, index)
        self._levels -= 1
        return node
