"""How far the sandbox's build or start is, as a live line in a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sohistio.sandbox.progress import Progress, duration

if TYPE_CHECKING:
    from rich.status import Status


def build_progress(total: int) -> Progress:
    """For this stderr: live in a terminal, plain lines elsewhere."""
    return LiveProgress(total) if sys.stderr.isatty() else Progress(total)


class LiveProgress(Progress):
    """The step under way with its time, redrawn; a line is left of each that has ended."""

    _live: Status | None = None

    @contextmanager
    def shown(self) -> Iterator[None]:
        """The live line from the step's start to its end."""
        from rich.text import Text

        from sohistio.output.console import console

        screen = console(stderr=True)
        with screen.status(Text(self.title)) as self._live:
            yield
        self._live = None
        screen.print(Text.assemble(("√", "green"), f" {self.title} ", (self.elapsed(), "dim")))

    def tick(self) -> None:
        """Bring the elapsed time up to date."""
        if self._live is not None:
            from rich.text import Text

            total = duration(time.monotonic() - self.begun)
            self._live.update(Text(f"{self.title} {self.elapsed()}, {total} in all"))
