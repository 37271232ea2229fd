"""Text of somebody else: nothing in it is obeyed, by a terminal or by a build agent, and nothing is hidden."""

from __future__ import annotations

import io
import json
from xml.etree import ElementTree

import pytest
from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from sohistio.checks.result import CheckResult, Result
from sohistio.errors import FailedError
from sohistio.model.fault import Severity
from sohistio.output.console import SafeConsole
from sohistio.output.documents import json_text
from sohistio.output.error_text import error_lines
from sohistio.output.junit import junit
from sohistio.output.lines import LineObserver
from sohistio.system.sanitize import MOST_CHARACTERS, begun_command, inert, one_line, visible

HOSTILE = "\x1b[31m##vso[task.setvariable variable=x]y\r\n##[error]z [/y] [red] :smile:"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("plain √ → ü 日本", "plain √ → ü 日本", id="plain"),
        pytest.param("two\nlines\tand a tab", "two\nlines\tand a tab", id="lines"),
        pytest.param("a\u00a0b\u3000c", "a\u00a0b\u3000c", id="blanks"),
        pytest.param("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m", id="colours"),
        pytest.param("\x1b]8;;http://x\x07link", "\\x1b]8;;http://x\\x07link", id="osc"),
        pytest.param("over\rwritten\b\x00\x7f", "over\\rwritten\\x08\\x00\\x7f", id="c0"),
        pytest.param("\x9b31m\x85next", "\\x9b31m\\x85next", id="c1"),
        pytest.param("a\u202ecba\u202c\u2066x\u2069\u200f", "a\\u202ecba\\u202c\\u2066x\\u2069\\u200f", id="bidi"),
        pytest.param("a\u200bb\ufeffc\u2060", "a\\u200bb\\ufeffc\\u2060", id="no-width"),
        pytest.param("a\u2028b\u2029c", "a\\u2028b\\u2029c", id="separators"),
        pytest.param("\ud800 \ufffe \U000e0041", "\\ud800 \\ufffe \\U000e0041", id="surrogates-and-tags"),
    ],
)
def test_visible(text: str, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("as it is", "as it is"),
        ("one\r\ntwo\nthree\rfour", "one⏎two⏎three\\rfour"),
        ("a\tb", "a b"),
        ("x" * MOST_CHARACTERS, "x" * MOST_CHARACTERS),
        ("x" * (MOST_CHARACTERS + 7), "x" * MOST_CHARACTERS + "… (and 7 more characters)"),
    ],
)
def test_one_line(text: str, shown: str) -> None:
    assert one_line(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("##vso[task.complete]", "# #vso[task.complete]"),
        ("in a line ##VsO[x] and ##vso[y]", "in a line # #VsO[x] and # #vso[y]"),
        ("##[error]no", "# #[error]no"),
        ("###[section]", "## #[section]"),
        ("#\x1b[31m##vso[x]", "#\x1b[31m# #vso[x]"),
        ("#\x1b[0m#\x1b[1mvso\x1b[0m[x]", "# \x1b[0m#\x1b[1mvso\x1b[0m[x]"),
        ("#\ufe0f#v\u034fso\U000e0100[x]", "# \ufe0f#v\u034fso\U000e0100[x]"),
        ("## a heading, #1, [##], ##vso", "## a heading, #1, [##], ##vso"),
    ],
)
def test_inert(text: str, shown: str) -> None:
    assert inert(text) == shown


@pytest.mark.parametrize("pieces", [("#", "#vso[x]"), ("##", "[x]"), ("##", "v", "SO", "[x]"), ("a##vso", "[x]")])
def test_a_command_in_pieces(pieces: tuple[str, ...]) -> None:
    said = ""
    for piece in pieces:
        said += inert(piece, begun_command(said))
    assert "##vso[" not in said.lower()
    assert "##[" not in said
    assert said.replace(" ", "") == "".join(pieces)


def test_nothing_that_rich_draws_is_obeyed() -> None:
    stream = io.StringIO()
    console = SafeConsole(stream, width=200)
    table = Table("head", HOSTILE, title=None)
    table.add_row(HOSTILE, Text(HOSTILE, style="red"))
    console.print(HOSTILE, markup=True)
    console.print(Group(Text(HOSTILE), Padding(Text.assemble(("a", "red"), HOSTILE), 1)), table)
    said = stream.getvalue()
    assert not set(said) & {"\x1b", "\r"}
    assert not [line for line in said.splitlines() if line.startswith("##")]
    assert said.count("##[error]z [/y] [red] :smile:") == 6
    assert "\\x1b[31m##vso[task.setvariable variable=x]y⏎##[error]z" in said, "a stream makes the rest of it harmless"


def test_an_error() -> None:
    error = FailedError(HOSTILE, details=(HOSTILE,), todo=HOSTILE)
    one = "\\x1b[31m##vso[task.setvariable variable=x]y"
    whole = f"{one}⏎##[error]z [/y] [red] :smile:"
    first, *details, todo, _ = error_lines(error)
    assert (first, todo) == (f"Error: {whole}.", f"What to do: {whole}")
    assert details == [f"  {one}", "  ##[error]z [/y] [red] :smile:"]


def test_a_line_of_progress() -> None:
    stream = io.StringIO()
    LineObserver(stream).note(HOSTILE)
    assert len(stream.getvalue().splitlines()) == 1


def test_json_stays_the_same_document() -> None:
    document = {"a": [HOSTILE, "###[x]", "\x7f\x9b\u202e#"], "##[b]": 1}
    text = json_text(document)
    assert json.loads(text) == document
    assert text.isascii()
    assert text.replace("\n", "").isprintable()
    assert inert(text) == text
    assert "##" not in text


def test_junit_is_valid_xml() -> None:
    checks = [
        CheckResult("failed", Severity.ERROR, Result.FAILED, HOSTILE + "\x00\ufffe\ud800", "hint"),
        CheckResult("warned", Severity.WARNING, Result.FAILED, HOSTILE, "hint"),
        CheckResult("skipped", Severity.ERROR, Result.SKIPPED, HOSTILE, ""),
    ]
    text = junit("suite", checks)
    assert inert(visible(text)) == text
    root = ElementTree.fromstring(text)  # noqa: S314 — our own
    failure = root.find(".//failure")
    assert failure is not None
    assert "##vso[task.setvariable variable=x]y⏎##[error]z" in failure.get("message", "")
