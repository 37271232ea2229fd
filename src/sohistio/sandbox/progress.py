"""How far a build or a start is, as plain lines on stderr. A terminal shows it live: output/build_progress.py."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_STILL_EVERY = 60.0


class Progress:
    """Reports one step at a time. `tick` is to be called about every second while a step runs."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.title = ""
        self.begun = time.monotonic()
        self._number = 0
        self._step_begun = self._reported = self.begun

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Show a step from its start to its end; an error that leaves it is not swallowed."""
        self._number += 1
        self.title = f"[{self._number}/{self.total}] {title}" if self.total > 1 else title
        self._step_begun = self._reported = time.monotonic()
        with self.shown():
            yield

    @contextmanager
    def shown(self) -> Iterator[None]:
        """A line when the step begins, and one when it has ended well."""
        self.say(self.title)
        yield
        self.say(f"{self.title}: done in {self.elapsed()}")

    def tick(self) -> None:
        """A line now and then while a step takes long."""
        if time.monotonic() - self._reported >= _STILL_EVERY:
            self._reported = time.monotonic()
            self.say(f"{self.title}: still at it after {self.elapsed()}")

    def elapsed(self) -> str:
        """How long the step has been at work."""
        return duration(time.monotonic() - self._step_begun)

    @staticmethod
    def say(line: str) -> None:
        """A line of its own."""
        print(line, file=sys.stderr, flush=True)


# Makes the progress of so many steps.
MakeProgress = Callable[[int], Progress]


def duration(seconds: float) -> str:
    """`4.2 s`, `75 s`, `4 min 05 s`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds // 60:.0f} min {seconds % 60:02.0f} s"
