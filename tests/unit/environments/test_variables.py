"""A variable of one environment alone comes before the one that all share; and whether one is set."""

from __future__ import annotations

import pytest

from sohistio.environments.variables import is_set, value_in, variables_for

SHARED = {"SOHISTIO_IP_PREFIX": "10.1", "HOME": "/root"}


@pytest.mark.parametrize(
    ("name", "own", "expected"),
    [
        pytest.param("dr", {"SOHISTIO_IP_PREFIX_DR": "10.2"}, "10.2", id="its-own"),
        pytest.param("prod", {"SOHISTIO_IP_PREFIX_DR": "10.2"}, "10.1", id="anothers"),
        pytest.param("dr", {"SOHISTIO_IP_PREFIX_DR": ""}, "10.1", id="empty-is-not-set"),
        pytest.param("dr", {"SOHISTIO_IP_PREFIX_DR": "$(ipPrefixDr)"}, "10.1", id="a-name-without-a-value-is-not-set"),
        pytest.param("us-east", {"SOHISTIO_IP_PREFIX_US_EAST": "10.3"}, "10.3", id="dashes"),
        pytest.param("dr", {"IP_PREFIX_DR": "10.4"}, "10.1", id="only-of-sohistio"),
    ],
)
def test_whose_it_is(name: str, own: dict[str, str], expected: str) -> None:
    found = variables_for(name, SHARED | own)
    assert found["SOHISTIO_IP_PREFIX"] == expected
    assert found["HOME"] == "/root"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", False),
        ("\n", False),
        ("$(notifyUrl)", False),
        ("$(notifyUrl)\r\n", False),
        ("$()", False),
        (" $(notifyUrl) ", False),
        ("\t$(notifyUrl)\n", False),
        ("x", True),
        ("$(a) b", True),
        ("$(a)$(b)", True),
        (" ", True),
    ],
)
def test_whether_it_is_set(value: str, expected: bool) -> None:
    assert is_set(value) is expected
    assert value_in({"name": value}, "name") == (value if expected else "")


def test_a_lines_end_is_no_part_of_a_value() -> None:
    assert value_in({"name": " a b \r\n\n"}, "name") == " a b "
    assert value_in({}, "name") == ""
