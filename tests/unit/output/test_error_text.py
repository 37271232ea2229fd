"""An error in its four parts: what happened, details, what to do, exit code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sohistio.errors import (
    FailedError,
    InterruptedRunError,
    RefusedError,
    SohistioError,
    UsageError,
    VerificationError,
)
from sohistio.output.error_text import error_lines, print_error

ROOT = Path(__file__).parents[3]
AT_WORK = "docs/troubleshooting.md#failed-while-at-work-exit-code-1"
UNTOUCHED = "docs/troubleshooting.md#nothing-was-touched"
REFUSED = f"(exit code 3; {UNTOUCHED}-exit-code-3)"
STOPPED = "(exit code 130; docs/troubleshooting.md#interrupted-exit-code-130)"


@pytest.mark.parametrize(
    ("error", "lines"),
    [
        pytest.param(FailedError("did it break?"), ["Error: did it break?", f"(exit code 1; {AT_WORK})"], id="asks"),
        pytest.param(FailedError("it broke"), ["Error: it broke.", f"(exit code 1; {AT_WORK})"], id="bare"),
        pytest.param(
            FailedError("it broke; is it on?"),
            ["Error: it broke; is it on?", f"(exit code 1; {AT_WORK})"],
            id="question",
        ),
        pytest.param(
            UsageError("no such thing", todo="Give another."),
            ["Error: no such thing.", "What to do: Give another.", f"(exit code 2; {UNTOUCHED}-exit-code-2)"],
            id="todo",
        ),
        pytest.param(
            RefusedError("not allowed", details=("first", "second\nof two lines"), todo="Ask."),
            [
                "Error: not allowed.",
                "  first",
                "  second",
                "  of two lines",
                "What to do: Ask.",
                REFUSED,
            ],
            id="all",
        ),
        pytest.param(
            InterruptedRunError("interrupted"),
            ["Error: interrupted.", STOPPED],
            id="interrupted",
        ),
    ],
)
def test_lines(error: SohistioError, lines: list[str]) -> None:
    assert error_lines(error) == lines


def test_it_goes_to_stderr_and_long_lines_stay_whole_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    print_error(FailedError("broken", details=("word " * 60,)))
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == ["Error: broken.", "  " + "word " * 60, f"(exit code 1; {AT_WORK})"]


@pytest.mark.parametrize("kind", [FailedError, UsageError, RefusedError, VerificationError, InterruptedRunError])
def test_the_section_it_names_exists(kind: type[SohistioError]) -> None:
    file, _, anchor = kind("x").docs.partition("#")
    headings = re.findall(r"^#+ (.+)$", (ROOT / file).read_text(), re.M)
    assert anchor in {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_an_error_may_name_a_section_of_its_own() -> None:
    assert RefusedError("no", docs="docs/preflight.md").document()["docs"] == "docs/preflight.md"
