"""The nearest known name."""

from __future__ import annotations

import pytest

from sohistio.model.nearest import did_you_mean, nearest

NAMES = ("dev", "dr", "int", "local", "prod", "qa")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("pord", "prod"),
        ("prd", "prod"),
        ("PROD", "prod"),
        ("production", None),
        ("rd", "dr"),
        ("aq", "qa"),
        ("itn", "int"),
        ("staging", None),
        ("x", None),
        ("", None),
    ],
)
def test_nearest(typed: str, meant: str | None) -> None:
    assert nearest(typed, NAMES) == meant


def test_what_is_far_longer_was_not_meant() -> None:
    assert nearest("reason", ("reasonRequired",)) == "reasonRequired"
    assert nearest("wait", ("waypoint", "validate")) is None
    assert nearest("waypont", ("waypoint", "validate")) == "waypoint"


def test_a_known_name_keeps_its_case() -> None:
    assert nearest("virtualservices", ("Gateway", "VirtualService")) == "VirtualService"


def test_what_is_said() -> None:
    assert did_you_mean("pord", NAMES, "Known: dev.") == "Did you mean prod? Known: dev."
    assert did_you_mean("staging", NAMES, "Known: dev.") == "Known: dev."
    assert did_you_mean("staging", NAMES) == ""
