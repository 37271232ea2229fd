"""The gate of a run: the preflight checks between the plan and its approval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sohistio.errors import InterruptedRunError, SohistioError
from sohistio.model.finding import Finding
from sohistio.plan.steps import VerifyMesh
from sohistio.planning.planned import Planned

if TYPE_CHECKING:  # what a run that finds nothing to do never needs
    from sohistio.checks.preflight.check import Check
    from sohistio.checks.preflight.context import Context
    from sohistio.checks.preflight.report import Report


@dataclass(frozen=True, slots=True)
class GateReport:
    """What the checks found; `findings` are those of istioctl's analysis before the run, None where not known."""

    report: Report
    findings: tuple[Finding, ...] | None


@dataclass(frozen=True, slots=True)
class Gate:
    """Which checks a run has to pass: all where it changes the mesh, else only those without which it must fail.

    A rollback in the night is not held up by what is merely not as it should be.
    """

    all: bool = False

    @property
    def checks(self) -> tuple[Check, ...]:
        """The checks, without those that planning and the lock have made already."""
        from sohistio.checks.preflight.check import Stage
        from sohistio.checks.preflight.registry import checks_at

        return checks_at(Stage.ALWAYS, Stage.CHANGE) if self.all else checks_at(Stage.ALWAYS)

    def look(self, planned: Planned) -> GateReport:
        """Run the checks."""
        from sohistio.checks.preflight.preparation import context_of_plan
        from sohistio.checks.preflight.report import Report
        from sohistio.checks.preflight.runner import look

        context = context_of_plan(planned)
        if self.all:
            planned.session.say(f"checking {len(self.checks)} things before anything is changed")
        report = Report(planned.plan.environment, look(self.checks, context, planned.session.where.skip_checks))
        return GateReport(report, None if report.failures else _findings(context))


def _findings(context: Context) -> tuple[Finding, ...] | None:
    """For the verification: what was wrong before is not the run's. Where they cannot be had, that stops nothing.

    Each version that is verified has words of its own, so each is asked.
    """
    verified = {step.version for step in context.planned.plan.steps if isinstance(step, VerifyMesh)}
    between = [version for version in context.planned.rendered.meshes if version in verified]
    try:
        if not between or context.unlisted():
            return ()  # then nothing is found afterwards, either
        if context.is_unserved():
            return None
        return tuple(finding for version in between for finding in context.findings(version))
    except InterruptedRunError:
        raise
    except SohistioError:
        return None
