"""Progress where there is no terminal: one line an event."""

from __future__ import annotations

import time
from datetime import datetime
from typing import IO

from sohistio.model.rollout import Progress
from sohistio.model.state import ObjectRef
from sohistio.plan.plan import Phase
from sohistio.plan.steps import Step
from sohistio.run.progress import StepResult
from sohistio.system.sanitize import one_line

_FIGURES_SECONDS = 10.0


class LineObserver:
    """Writes `HH:MM:SS what` lines to a stream, flushed at once, so that a pipeline's log is live."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._say: dict[ObjectRef, Progress] = {}
        self._figures_at = 0.0

    def _line(self, text: str) -> None:
        now = datetime.now().astimezone()
        print(f"{now:%H:%M:%S} {one_line(text)}", file=self._stream, flush=True)

    def phase_started(self, phase: Phase) -> None:
        """A phase begins."""
        self._line(f"phase {phase.name}")

    def step_started(self, step: Step) -> None:
        """A step begins."""
        self._say, self._figures_at = {}, time.monotonic()
        self._line(f"  {step.summary} …")

    def rollouts(self, progress: dict[ObjectRef, Progress]) -> None:
        """Only rollouts that moved are worth a line."""
        for ref, now in progress.items():
            if self._say.get(ref) != now:
                count = f" {now.ready}/{now.wanted} ready" if now.wanted or now.done else ""
                self._line(f"    {ref.short}{count}{'' if now.done else f': {now.message}'}")
        self._say = progress

    def note(self, line: str) -> None:
        """Something worth reading."""
        self._line(f"    {line}")

    def figures(self, line: str) -> None:
        """At most one in a while: each would be a line of its own here."""
        now = time.monotonic()
        if now - self._figures_at >= _FIGURES_SECONDS:
            self._figures_at = now
            self._line(f"    {line}")

    def step_finished(self, result: StepResult) -> None:
        """A step ended."""
        self._line(f"  {result.state.value}: {result.step.summary} ({result.seconds:.1f} s)")
