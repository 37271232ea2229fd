"""Which runs wait for a reason, where the environment requires one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from environment_folder import environment_folder
from observed import state
from plans import FRESH
from sohistio.errors import ExitCode, RefusedError
from sohistio.model.cause import Cause
from sohistio.model.mode import Mode
from sohistio.plan.plan import Plan
from sohistio.planning.planned import Planned
from sohistio.planning.session import Session, Where
from sohistio.run.reason import missing_reason

REQUIRED = "audit: {reasonRequired: true}"
Scene = Callable[[Plan, str, str], Planned]


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    monkeypatch.setenv("SOHISTIO_IP_PREFIX", "10.20")

    def planned(plan: Plan, audit: str, reason: str) -> Planned:
        root = environment_folder(tmp_path, qa=audit)
        session = Session(Where("qa", root, cause=Cause("install", reason)), lambda _: None)
        return Planned(session, plan, state(), lambda: planned(plan, audit, reason))

    return planned


@pytest.mark.parametrize("mode", [mode for mode in Mode if mode is not Mode.NONE])
def test_which_modes_wait(scene: Scene, mode: Mode) -> None:
    planned = scene(replace(FRESH, mode=mode), REQUIRED, "")
    if mode in (Mode.FAILOVER, Mode.FAILBACK, Mode.ROLLBACK):
        assert missing_reason(planned).startswith(
            f"qa requires a reason, and none was given: this {mode.value} goes on"
        )
        return
    with pytest.raises(RefusedError, match="qa requires a reason for each change") as refused:
        missing_reason(planned)
    assert refused.value.exit_code is ExitCode.REFUSED
    assert "--reason" in refused.value.todo


@pytest.mark.parametrize(("audit", "reason"), [(REQUIRED, "CHG1"), ("", ""), ("audit: {reasonRequired: false}", "")])
def test_nothing_is_missing(scene: Scene, audit: str, reason: str) -> None:
    assert missing_reason(scene(FRESH, audit, reason)) == ""


def test_a_plan_that_changes_nothing_needs_none(scene: Scene) -> None:
    assert missing_reason(scene(replace(FRESH, phases=()), REQUIRED, "")) == ""
