"""An error in its four parts: what happened, details, what to do, exit code."""

from __future__ import annotations

import pytest

from sohistio.errors import FailedError, InterruptedRunError, RefusedError, SohistioError, UsageError
from sohistio.output.error_text import error_lines, print_error


@pytest.mark.parametrize(
    ("error", "lines"),
    [
        pytest.param(FailedError("it broke"), ["Error: it broke.", "(exit code 1)"], id="bare"),
        pytest.param(
            UsageError("no such thing", todo="Give another."),
            ["Error: no such thing.", "What to do: Give another.", "(exit code 2)"],
            id="todo",
        ),
        pytest.param(
            RefusedError("not allowed", details=("first", "second\nof two lines"), todo="Ask."),
            ["Error: not allowed.", "  first", "  second", "  of two lines", "What to do: Ask.", "(exit code 3)"],
            id="all",
        ),
        pytest.param(InterruptedRunError("interrupted"), ["Error: interrupted.", "(exit code 130)"], id="interrupted"),
    ],
)
def test_lines(error: SohistioError, lines: list[str]) -> None:
    assert error_lines(error) == lines


def test_it_goes_to_stderr_and_long_lines_stay_whole_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    print_error(FailedError("broken", details=("word " * 60,)))
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == ["Error: broken.", "  " + "word " * 60, "(exit code 1)"]
