"""Progress in a terminal: finished steps above, the running one with its rollouts redrawn below."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.console import Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from sohistio.model.rollout import Progress
from sohistio.model.state import ObjectRef
from sohistio.output.console import SafeConsole
from sohistio.output.lines import LineObserver
from sohistio.plan.plan import Phase
from sohistio.plan.steps import Step
from sohistio.run.progress import StepResult, StepState

_SIGNS = {
    StepState.DONE: ("√", "green"),
    StepState.FAILED: ("×", "bold red"),
    StepState.INTERRUPTED: ("!", "yellow"),
    StepState.NOT_STARTED: ("-", "dim"),
}
_MOST_ROLLOUTS = 12
_MOST_NOTES = 6


class LiveObserver:
    """A live display on a terminal. Use it as a context manager: it gives the terminal back, whatever happens."""

    def __init__(self, console: SafeConsole) -> None:
        self._console = console
        self._step: Step | None = None
        self._started = 0.0
        self._rollouts: dict[ObjectRef, Progress] = {}
        self._notes: list[str] = []
        self._figures = ""
        self._lines = LineObserver(console.only_log)
        self._spinner = Spinner("dots" if console.encoding.startswith("utf") else "line")
        self._live = Live(console=console, get_renderable=self._draw, refresh_per_second=8, transient=True)

    def __enter__(self) -> Self:
        self._console.print()
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.__exit__(kind, error, trace)
        self._console.print()

    def phase_started(self, phase: Phase) -> None:
        """A phase begins."""
        self._console.print(Text(phase.name, style="bold"))

    def step_started(self, step: Step) -> None:
        """A step begins."""
        self._step, self._started, self._rollouts, self._notes = step, time.monotonic(), {}, []
        self._figures = ""
        self._lines.step_started(step)

    def rollouts(self, progress: dict[ObjectRef, Progress]) -> None:
        """Redrawn at the next refresh."""
        self._rollouts = progress
        self._lines.rollouts(progress)

    def note(self, line: str) -> None:
        """Something worth reading, kept under the running step."""
        self._notes = [*self._notes, line][-_MOST_NOTES:]
        self._lines.note(line)

    def figures(self, line: str) -> None:
        """One line under the running step, redrawn at the next refresh."""
        self._figures = line
        self._lines.figures(line)

    def step_finished(self, result: StepResult) -> None:
        """A step ended: one line that stays."""
        self._step = None
        sign, style = _SIGNS[result.state]
        line = Text.assemble((f"  {sign} ", style), result.step.summary, (f"  {result.seconds:.1f} s", "dim"))
        self._console.print(line, soft_wrap=True)

    def _draw(self) -> RenderableType:
        if self._step is None:
            return Text("")
        self._spinner.update(text=Text(f"{self._step.summary}  {time.monotonic() - self._started:.0f} s"))
        rows = Table.grid(padding=(0, 2))
        # The open ones first: a long list must not hide what everybody waits for.
        ordered = sorted(self._rollouts.items(), key=lambda item: item[1].done)
        for ref, progress in ordered[:_MOST_ROLLOUTS]:
            bar = _bar(progress)
            count = f"{progress.ready}/{progress.wanted} ready" if progress.wanted or progress.done else ""
            rows.add_row("    ", ref.short, bar, count, Text("" if progress.done else progress.message, style="dim"))
        if len(ordered) > _MOST_ROLLOUTS:
            rows.add_row("    ", f"and {len(ordered) - _MOST_ROLLOUTS} more")
        figures = [_indented(Text(self._figures), 4)] if self._figures else []
        # Why something hangs is never cut off: whoever waits needs the end of the message, too.
        notes = [_indented(Text(note), 6) for note in self._notes]
        # The last line is empty: a terminal echoes ^C where the cursor is, and after a full line it would scroll.
        return Group(_indented(self._spinner, 2), rows, *figures, *notes, Text(""))


def _indented(part: RenderableType, columns: int) -> Padding:
    return Padding(part, (0, 0, 0, columns), expand=False)


def _bar(progress: Progress) -> Text:
    width = 10
    full = width if progress.done else width * progress.ready // max(progress.wanted, 1)
    return Text("━" * full, style="green" if progress.done else "cyan") + Text("━" * (width - full), style="dim")
