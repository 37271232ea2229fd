"""Output as Azure DevOps' agent reads it, after its documentation and sources; nothing of sohistio is used for it.

`##vso[` counts anywhere in a line, the first `]` after it ends the properties, and `##[` formats the log's line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_ESCAPES = {"%3B": ";", "%0D": "\r", "%0A": "\n", "%5D": "]"}


@dataclass(frozen=True)
class Command:
    name: str
    properties: dict[str, str]
    message: str


@dataclass
class AgentLog:
    """What was obeyed, what formats the log, and the lines that were only shown."""

    commands: list[Command] = field(default_factory=list)
    formats: list[tuple[str, str]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def named(self, name: str) -> list[Command]:
        return [command for command in self.commands if command.name == name]

    @property
    def variables(self) -> dict[str, str]:
        """All of them are output variables."""
        found = self.named("task.setvariable")
        assert {command.properties["isOutput"] for command in found} <= {"true"}
        return {command.properties["variable"]: command.message for command in found}

    def issues(self, kind: str) -> list[tuple[str, str]]:
        """Code and message of each error or warning."""
        found = [command for command in self.named("task.logissue") if command.properties["type"] == kind]
        return [(command.properties["code"], command.message) for command in found]

    @property
    def result(self) -> str:
        """What the step is said to have come to; empty where its exit code says it."""
        return "".join(command.properties["result"] for command in self.named("task.complete"))


def read(*streams: str) -> AgentLog:
    log = AgentLog()
    for line in (line for text in streams for line in re.split(r"\r\n|\n|\r", text)):
        begin = line.lower().find("##vso[")
        if begin >= 0:
            log.commands.append(_command(line[begin + 6 :]))
        elif found := re.search(r"##\[([^]]*)\](.*)", line):
            log.formats.append((found[1], found[2]))
        else:
            log.lines.append(line)
    return log


def _command(text: str) -> Command:
    told, end, message = text.partition("]")
    assert end, text
    name, _, listed = told.partition(" ")
    pairs = [pair.split("=", 1) for pair in listed.split(";") if pair]
    return Command(name, {key: _unescaped(value) for key, value in pairs}, _unescaped(message))


def _unescaped(text: str) -> str:
    for escape, character in _ESCAPES.items():
        text = text.replace(escape, character)
    return text.replace("%AZP25", "%")
