"""Tables and lines on terminals of any width: no word is cut, nothing is wider."""

from __future__ import annotations

import io
from collections.abc import Sequence

import pytest
from rich.console import RenderableType
from rich.text import Text

from sohistio.output.console import SafeConsole
from sohistio.output.fitted import Fitted, Hanging

COLUMNS = ("environment", "version", "what it is for")
ROWS = (("local", "1.31.1", "the sandbox on this machine"), ("prod", "1.30.5", "customers of all regions"))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _a_usual_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("COLUMNS", raising=False)


def lines(shown: RenderableType, width: int, *, terminal: bool = True) -> list[str]:
    stream = Terminal() if terminal else io.StringIO()
    SafeConsole(stream, width=width).print(shown)
    return [line.rstrip() for line in stream.getvalue().splitlines()]


@pytest.mark.parametrize(
    ("width", "prose", "shown"),
    [
        (
            60,
            None,
            [
                "environment    version    what it is for",
                "local          1.31.1     the sandbox on this machine",
                "prod           1.30.5     customers of all regions",
            ],
        ),
        (
            47,
            None,
            [
                "environment version what it is for",
                "local       1.31.1  the sandbox on this machine",
                "prod        1.30.5  customers of all regions",
            ],
        ),
        (
            40,
            None,
            [
                "environment     local",
                "version         1.31.1",
                "what it is for  the sandbox on this",
                "                machine",
                "",
                "environment     prod",
                "version         1.30.5",
                "what it is for  customers of all regions",
            ],
        ),
        (
            24,
            2,
            [
                "environment  local",
                "version      1.31.1",
                "  the sandbox on this",
                "    machine",
                "",
                "environment  prod",
                "version      1.30.5",
                "  customers of all",
                "    regions",
            ],
        ),
    ],
)
def test_a_table(width: int, prose: int | None, shown: list[str]) -> None:
    assert lines(Fitted(COLUMNS, ROWS, prose=prose), width) == shown


def test_a_log_gets_rows() -> None:
    assert lines(Fitted(COLUMNS, ROWS), 180, terminal=False) == lines(Fitted(COLUMNS, ROWS), 180)
    assert len(lines(Fitted(COLUMNS, ROWS, gap=2), 56, terminal=False)) == 3


def test_a_row_goes_on() -> None:
    rows: Sequence[Sequence[str | Text]] = [("a", "b", "c d"), ("", "", Text("→ e", style="dim")), ("f", "g", "h")]
    assert lines(Fitted(("one", "two", "three"), rows, prose=2), 8) == [
        *("one  a", "two  b", "  c d", "  → e", "", "one  f", "two  g", "  h")
    ]


def test_text_from_a_cluster_takes_the_width_that_it_is_shown_with() -> None:
    rows = [("\x1b[31mred\n", "x")]
    assert lines(Fitted(("a", "b"), rows, gap=2), 18) == ["a             b", "\\x1b[31mred⏎  x"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("short", ["short"]),
        ("Note: the sandbox is up", ["Note: the", "  sandbox is up"]),
        ("    four blanks and some", ["    four blanks", "      and some"]),
        ("a.very.long.path.of.a.field: 1", ["a.very.long.path", "  .of.a.field: 1"]),
    ],
)
def test_a_line(text: str, shown: list[str]) -> None:
    assert lines(Hanging(Text(text)), 18) == shown
    assert lines(Hanging(Text(text)), 180, terminal=False) == [text]


@pytest.mark.parametrize(("value", "plain"), [("1", True), ("", False)])
def test_no_colour_is_no_escape_sequence_at_all(monkeypatch: pytest.MonkeyPatch, value: str, plain: bool) -> None:
    monkeypatch.setenv("NO_COLOR", value)
    stream = Terminal()
    SafeConsole(stream, width=60).print(Text("done", style="bold green"), Text("and", style="dim"))
    assert ("\x1b" not in stream.getvalue()) == plain
