"""Empty options are variables of a pipeline that are not set: refused, never taken for this folder or a default."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from sohistio.cli import app_for
from sohistio.commands.options import ComponentLimit, Limit
from sohistio.commands.requests import timeouts_of
from sohistio.errors import SohistioError, UsageError
from sohistio.model.durations import LONGEST, seconds_of

app = app_for()

AT = ("--env", "local")


def test_an_empty_reason_is_none() -> None:
    """A failover at night is not stopped by a parameter of its pipeline that nobody filled in."""
    ended = CliRunner().invoke(app, ["failover", "--to", "nowhere", "--reason", ""])
    assert isinstance(ended.exception, UsageError)
    assert "There is no environment named 'nowhere'" in str(ended.exception)


@pytest.mark.parametrize(
    ("command", "flag"),
    [
        (("install",), "--env"),
        (("status",), "--env"),
        (("check",), "--env"),
        (("install", *AT), "--plan"),
        (("plan", *AT), "--out"),
        (("restore", *AT), "--backup"),
        (("uninstall", *AT), "--confirm"),
        (("uninstall", *AT), "--environments"),
        (("uninstall", *AT), "--kubeconfig"),
        (("restart", *AT), "--context"),
        (("install", *AT), "--istioctl"),
        (("env", "list"), "--environments"),
        (("aks-token",), "--tenant"),
    ],
)
@pytest.mark.parametrize("text", ["", " "])
def test_an_empty_one_is_refused(command: tuple[str, ...], flag: str, text: str) -> None:
    ended = CliRunner().invoke(app, [*command, flag, text])
    assert isinstance(ended.exception, UsageError)
    assert ended.exception.what == f"{flag} is empty"
    assert "variable" in ended.exception.todo


def test_this_folder_is_still_one() -> None:
    ended = CliRunner().invoke(app, ["env", "list", "--environments", "."])
    assert not isinstance(ended.exception, UsageError) or "is empty" not in ended.exception.what


def test_an_equals_sign_makes_no_difference() -> None:
    ended = CliRunner().invoke(app, ["install", "--env="])
    assert isinstance(ended.exception, UsageError)
    assert ended.exception.what == "--env is empty"


def test_a_duration_that_is_too_long_is_told_the_limit() -> None:
    assert timeouts_of(None, Limit(LONGEST)).total_seconds == seconds_of(LONGEST)
    with pytest.raises(SohistioError, match=f"'99999999h' is too long: .* as {LONGEST} has") as caught:
        timeouts_of(None, Limit("99999999h"))
    assert "not a duration" not in caught.value.what
    with pytest.raises(SohistioError, match="is not a duration"):
        timeouts_of(ComponentLimit("soon"), Limit())


@pytest.mark.parametrize("name", ["", " "])
def test_an_empty_name_explains_nothing(name: str) -> None:
    ended = CliRunner().invoke(app, ["explain", name])
    assert isinstance(ended.exception, UsageError)
    assert ended.exception.what == "the name is empty"
