"""Reports a run to people and to Azure DevOps' agent: its lines in a group for each phase, its progress, its facts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sohistio.checks.preflight.report import Report
from sohistio.model.rollout import Progress
from sohistio.model.state import ObjectRef
from sohistio.output.devops.agent import Agent, command
from sohistio.output.devops.facts import Issue, IssueType, Stage
from sohistio.output.devops.harmless import harmless
from sohistio.output.run_report import RunReport
from sohistio.plan.plan import Phase, Plan
from sohistio.plan.steps import Step
from sohistio.run.progress import Observer, RunResult, StepResult
from sohistio.run.reporter import Tone
from sohistio.system.streams import Stream


class DevOpsReport:
    """A `Reporter`: all that `RunReport` prints, and the facts for the agent."""

    def __init__(self, inner: RunReport, agent: Agent) -> None:
        self._inner = inner
        self._agent = agent

    def plan(self, plan: Plan) -> None:
        """The plan."""
        with harmless():
            self._agent.facts.planned(plan)
        self._inner.plan(plan)

    def line(self, text: str, tone: Tone = Tone.PLAIN) -> None:
        """One line; what is worth a warning is an issue of the build."""
        if tone is Tone.WARNING:
            self._agent.facts.found.append(Issue(IssueType.WARNING, "warning", text))
        self._inner.line(text, tone)

    def preflight(self, report: Report) -> None:
        """All that was checked before the run."""
        self._agent.facts.checked(Stage.PREFLIGHT, report.environment, report.checks)
        self._inner.preflight(report)

    @contextmanager
    def observer(self) -> Iterator[Observer]:
        """Who groups the lines; the last group is closed however the run ends."""
        plans = self._agent.facts.runs
        with self._inner.observer() as inner:
            grouping = Grouping(inner, self._inner.stream, plans[-1].plan if plans else None)
            try:
                yield grouping
            finally:
                grouping.close()

    def result(self, result: RunResult) -> None:
        """How the run ended."""
        with harmless():
            self._agent.facts.ended(result)
        self._inner.result(result)

    def can_ask(self) -> bool:
        """Whether there is somebody to ask."""
        return self._inner.can_ask()

    def ask(self, question: str) -> str:
        """The answer."""
        return self._inner.ask(question)


class Grouping:
    """An `Observer`: the lines of a phase in a group that the log's viewer folds, the progress as a percentage.

    The percentage is by the steps of the plan that was shown: fewer may be left to do.
    """

    def __init__(self, inner: Observer, stream: object, plan: Plan | None) -> None:
        self._inner = inner
        # A person who tries it in a terminal has a live display, which lines of ours would tear.
        self._stream = stream if isinstance(stream, Stream) and not stream.isatty() else None
        self._places = {step.id: number for number, step in enumerate(plan.steps if plan else ())}
        self._open = False

    def phase_started(self, phase: Phase) -> None:
        """A group begins where the last one ends."""
        self.close()
        self._format("group", phase.name)
        self._open = True
        self._inner.phase_started(phase)

    def step_started(self, step: Step) -> None:
        """How far the run is."""
        if step.id in self._places and self._stream is not None:
            command("task.setprogress", {"value": str(100 * self._places[step.id] // len(self._places))}, step.summary)
        self._inner.step_started(step)

    def rollouts(self, progress: dict[ObjectRef, Progress]) -> None:
        """As it is."""
        self._inner.rollouts(progress)

    def note(self, line: str) -> None:
        """As it is."""
        self._inner.note(line)

    def figures(self, line: str) -> None:
        """As it is."""
        self._inner.figures(line)

    def step_finished(self, result: StepResult) -> None:
        """As it is."""
        self._inner.step_finished(result)

    def close(self) -> None:
        """End the group that is open."""
        if self._open:
            self._open = False
            self._format("endgroup", "")

    def _format(self, name: str, text: str) -> None:
        if self._stream is not None:
            self._stream.command(name, {}, text)
