"""How a rollback gets back: in place, by replacing, or by applying where there is nothing to replace."""

from __future__ import annotations

import pytest

from sohistio.model.mode import Mode
from sohistio.model.versions import Version
from sohistio.modes.decide import Decision
from sohistio.planning.rollback import backwards

OLD = Version(1, 29, 8)


@pytest.mark.parametrize(
    ("installed", "there", "replaced"),
    [
        pytest.param(Version(1, 30, 5), True, False, id="one-minor"),
        pytest.param(Version(1, 31, 1), True, True, id="two-minors"),
        pytest.param(Version(1, 31, 1), False, False, id="its-uninstall-was-interrupted"),
        pytest.param(None, False, False, id="nothing-there"),
    ],
)
def test_what_is_uninstalled_first(installed: Version | None, there: bool, replaced: bool) -> None:
    decision = backwards(Decision(Mode.REINSTALL, (), installed), OLD, there=there)
    assert (decision.mode, decision.replace, decision.hops) == (Mode.ROLLBACK, replaced, (OLD,))
    assert ("the newer version is uninstalled first" in decision.reasons) is replaced
