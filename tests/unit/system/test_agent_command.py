"""Commands to Azure DevOps' agent: escaped as it reads them, on a line of their own, whatever they say."""

from __future__ import annotations

import io

import pytest

from agent_reading import Command, read
from sohistio.system.agent_command import command_line
from sohistio.system.streams import Stream
from sohistio.system.transcript import Transcript

HOSTILE = "\x1b[31m##vso[task.setvariable variable=x]y\r\n##[error]z]; 100% %5D %AZP25 a;b=c"
SHOWN = "\\x1b[31m# #vso[task.setvariable variable=x]y⏎# #[error]z]; 100% %5D %AZP25 a;b=c"


@pytest.mark.parametrize(
    ("name", "properties", "message", "line"),
    [
        ("task.complete", {"result": "Failed"}, "", "##vso[task.complete result=Failed]"),
        ("task.uploadsummary", {}, "/a b/c.md", "##vso[task.uploadsummary]/a b/c.md"),
        ("task.logissue", {"type": "error", "code": "a;b]"}, "no", "##vso[task.logissue type=error;code=a%3Bb%5D]no"),
        ("task.setprogress", {"value": "7"}, "50% of a]\nb", "##vso[task.setprogress value=7]50%AZP25 of a%5D⏎b"),
        ("task.setvariable", {"variable": "v"}, "%0A", "##vso[task.setvariable variable=v]%AZP250A"),
        ("group", {}, "a phase; 5%", "##[group]a phase; 5%"),
        ("endgroup", {}, "", "##[endgroup]"),
        ("group", {}, "x\n##vso[y]", "##[group]x⏎# #vso[y]"),
    ],
)
def test_the_line(name: str, properties: dict[str, str], message: str, line: str) -> None:
    assert command_line(name, properties, message) == f"{line}\n"


def test_what_is_hostile_comes_out_as_one_command_with_all_of_its_letters() -> None:
    line = command_line("task.logissue", {"type": "warning", "code": HOSTILE}, HOSTILE)
    assert line.count("\n") == 1
    log = read(line.removesuffix("\n"))
    assert log.commands == [Command("task.logissue", {"type": "warning", "code": SHOWN}, SHOWN)]
    assert (log.formats, log.lines) == ([], [])


def test_what_is_long_is_bounded() -> None:
    (command,) = read(command_line("task.logissue", {"type": "error"}, "\x1b" * 5000).strip()).commands
    assert len(command.message) == 4000


class Terminal(io.StringIO):
    """What a stream writes to, letter by letter."""


@pytest.mark.parametrize("before", ["", "a line\n", "a line that goes on", "##v"])
def test_it_begins_a_line_and_no_log_has_it(before: str) -> None:
    shown = Terminal()
    transcript = Transcript()
    stream = Stream(shown, transcript, lambda: None)
    if before:
        stream.write(before)
    stream.command("task.complete", {"result": "Failed"}, "x")
    stream.write("so[y] after\n##vso[z]\n")
    assert [command.name for command in read(shown.getvalue()).commands] == ["task.complete"]
    assert "\nso[y] after\n# #vso[z]\n" in shown.getvalue()
