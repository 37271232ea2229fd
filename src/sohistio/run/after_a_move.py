"""What a failover that did not end well says: the state of the world, and the commands for forward and for back."""

from __future__ import annotations

from collections.abc import Sequence

from sohistio.errors import SohistioError
from sohistio.plan.failover_steps import SwitchRecord
from sohistio.plan.steps import HoldStandby, ScaleUp
from sohistio.run.failover import Traffic
from sohistio.run.progress import RunResult, StepResult, StepState


def explain(error: SohistioError, traffic: Traffic, results: Sequence[StepResult]) -> None:
    """Add to the error what this run has changed, and the two ways on."""
    error.details = (*error.details, *_state(results))
    error.remedy = f"{error.remedy} Forward: {traffic.forward} Back: {traffic.back}".strip()
    error.again = ""


def _state(results: Sequence[StepResult]) -> tuple[str, ...]:
    words = {StepState.DONE: "done", StepState.NOT_STARTED: "not begun"}
    return tuple(
        f"{words.get(result.state, 'perhaps half done')}: {result.step.summary}"
        for result in results
        if isinstance(result.step, ScaleUp | SwitchRecord | HoldStandby)
    )


def failed_before_the_switch(result: RunResult, traffic: Traffic) -> bool:
    """Whether a run failed (it was not interrupted) and no DNS record was touched: all can be as it was found.

    A record that its name server refused to change was not touched.
    """
    if result.error is None or any(item.state is StepState.INTERRUPTED for item in result.steps):
        return False
    return any(isinstance(item.step, SwitchRecord | HoldStandby) for item in result.steps) and not traffic.touched
