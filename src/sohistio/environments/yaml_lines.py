"""A change of a text carried over to the lines that a person wrote: all others stay as they are.

The text is written twice by a program, without and with the change; only what differs between these two is new.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from difflib import SequenceMatcher

_COMMENT = re.compile(r"(?:^|\s)(#.*)$")


def carried_over(
    lines: Sequence[str], written: tuple[Sequence[str], Sequence[str]], alike: Callable[[str], str], end: str
) -> str:
    """The text of `lines` (each with its end) with the difference between the two `written`; new lines end in `end`.

    Lines are compared by what `alike` gives.
    """
    plain = [line.rstrip("\r\n") for line in lines]
    return "".join(_ended(_merged(plain, *written, alike), lines, end))


def comments_of(lines: Sequence[str]) -> set[str]:
    """The comments, each from its # to the end of the line."""
    return {match.group(1).rstrip() for line in lines if (match := _COMMENT.search(line))}


def _merged(
    ours: Sequence[str], before: Sequence[str], after: Sequence[str], alike: Callable[[str], str]
) -> Iterator[int | str]:
    """Three-way: the number of a line of `ours` that stays, or a new line. Lines are compared by what `alike` gives."""
    same = dict(_pairs([alike(line) for line in before], [alike(line) for line in ours]))
    kept = dict(_pairs(before, after))
    meeting = [(same[line], line, kept[line]) for line in sorted(same.keys() & kept.keys())]
    own, old, new = 0, 0, 0
    for next_own, next_old, next_new in [*meeting, (len(ours), len(before), len(after))]:
        if before[old:next_old] == after[new:next_new]:
            yield from range(own, next_own)
        else:
            yield from after[new:next_new]
        if next_old < len(before):
            yield next_own
        own, old, new = next_own + 1, next_old + 1, next_new + 1


def _pairs(one: Sequence[str], other: Sequence[str]) -> Iterator[tuple[int, int]]:
    for block in SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks():
        yield from ((block.a + index, block.b + index) for index in range(block.size))


def _ended(merged: Iterator[int | str], lines: Sequence[str], end: str) -> list[str]:
    """Each line with its end; only the last one may lack it, where it lacked it before."""
    found = [f"{item}{end}" if isinstance(item, str) else lines[item] for item in merged]
    return [*(line if line.endswith("\n") else f"{line}{end}" for line in found[:-1]), *found[-1:]]
