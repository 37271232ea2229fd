"""Telling how far a build or a start is: a live line in a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.status import Status

_STILL_EVERY = 60.0


class Progress:
    """Tells about one step at a time, on stderr. `tick` is to be called about every second while a step runs."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._number = 0
        self._begun = time.monotonic()
        self._live: Status | None = None
        self._step_begun = self._told = self._begun
        self._title = ""

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Show a step from its start to its end; an error that leaves it is not swallowed."""
        self._number += 1
        self._title = f"[{self._number}/{self._total}] {title}" if self._total > 1 else title
        self._step_begun = self._told = time.monotonic()
        if sys.stderr.isatty():
            from rich.text import Text

            from sohistio.output.console import console

            screen = console(stderr=True)
            with screen.status(Text(self._title)) as self._live:
                yield
            self._live = None
            screen.print(Text.assemble(("√", "green"), f" {self._title} ", (self._elapsed(), "dim")))
        else:
            self.say(self._title)
            yield
            self.say(f"{self._title}: done in {self._elapsed()}")

    def tick(self) -> None:
        """Bring the elapsed time up to date."""
        if self._live is not None:
            total = duration(time.monotonic() - self._begun)
            from rich.text import Text

            self._live.update(Text(f"{self._title} {self._elapsed()}, {total} in all"))
        elif time.monotonic() - self._told >= _STILL_EVERY:
            self._told = time.monotonic()
            self.say(f"{self._title}: still at it after {self._elapsed()}")

    def _elapsed(self) -> str:
        return duration(time.monotonic() - self._step_begun)

    @staticmethod
    def say(line: str) -> None:
        """A line of its own."""
        print(line, file=sys.stderr, flush=True)


def duration(seconds: float) -> str:
    """`4.2 s`, `75 s`, `4 min 05 s`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds // 60:.0f} min {seconds % 60:02.0f} s"
