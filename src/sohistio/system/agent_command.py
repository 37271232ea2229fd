"""One line that Azure DevOps' agent obeys, with everything in it escaped as the agent reads it. Pure.

The syntax is documented in learn.microsoft.com, "Logging commands" (azure/devops/pipelines/scripts/logging-commands);
what the agent does with it is in its sources, microsoft/azure-pipelines-agent, `Command.cs` and
`CommandStringConvertor.cs`: the first `##vso[` of a line counts, the first `]` after it ends the properties, `;` parts
them, and values and message alike are unescaped: `%3B`, `%0D`, `%0A`, `%5D`, then `%AZP25`.
"""

from __future__ import annotations

from collections.abc import Mapping

from sohistio.system.sanitize import MOST_CHARACTERS, inert, one_line

# The percent sign first: what follows is made of it.
_ESCAPES = (("%", "%AZP25"), ("\r", "%0D"), ("\n", "%0A"), (";", "%3B"), ("]", "%5D"))


def command_line(name: str, properties: Mapping[str, str], message: str) -> str:
    """`task.logissue` and its like as `##vso[…]…`; a name without a dot formats the log, such as `##[group]…`.

    Names are our own; what the values and the message say may be anybody's: it comes out as one line, visible, bounded,
    and with no command in it, before it is escaped.
    """
    if "." not in name:
        return f"##[{name}]{_harmless(message)}\n"
    listed = ";".join(f"{key}={_escaped(_harmless(value))}" for key, value in properties.items())
    return f"##vso[{name}{' ' if listed else ''}{listed}]{_escaped(_harmless(message))}\n"


def _harmless(text: str) -> str:
    shown = one_line(text)
    return inert(shown if len(shown) <= MOST_CHARACTERS else f"{shown[: MOST_CHARACTERS - 1]}…")


def _escaped(text: str) -> str:
    for character, escape in _ESCAPES:
        text = text.replace(character, escape)
    return text
