"""Long lists: the first few, and how many more."""

from __future__ import annotations

import pytest

from sohistio.model.words import first_lines, first_names


@pytest.mark.parametrize(
    ("count", "lines", "names"),
    [
        (0, (), ""),
        (2, ("0", "1"), "0, 1"),
        (3, ("0", "1", "and 1 more"), "0, 1 and 1 more"),
        (9, ("0", "1", "and 7 more"), "0, 1 and 7 more"),
    ],
)
def test_the_first_two(count: int, lines: tuple[str, ...], names: str) -> None:
    items = [str(number) for number in range(count)]
    assert first_lines(items, 2) == lines
    assert first_names(items, 2) == names


def test_a_noun_comes_last() -> None:
    assert first_lines(["a", "b", "c"], 1, "differences") == ("a", "and 2 more differences")
