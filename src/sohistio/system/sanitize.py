r"""The rules for text that somebody else wrote: what a cluster or a tool says is data, never an instruction.

Three functions, all pure. `visible` leaves the text's lines and makes every character visible that a terminal obeys or
hides; `one_line` is for a value that stands in one of sohistio's lines; `inert` is for a whole text on its way out. Who
calls them: `system.streams` (its docstring says how nothing can be forgotten) and, for lines that go to a log only,
`tool_run`.
"""

from __future__ import annotations

import re

MOST_CHARACTERS = 4000
"""Of one value in a line: a whole admission error fits, a page of rubbish does not."""

_BLANKS = frozenset("\u00a0\u1680\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B))))
# Azure's agent obeys ##vso[ anywhere in a line, in any case, on stdout and stderr; its log viewer obeys ##[.
# What Rich puts between two characters to colour them does not count; nor does what is printable and has no weight
# where text is compared by a culture's rules, as .NET may: variation selectors, joiners, fillers.
_WEIGHTLESS = "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef"
_STYLE = rf"(?:\x1b\[[0-9;]*m|[{_WEIGHTLESS}])*"
_COMMAND = re.compile(rf"#(?={_STYLE}#{_STYLE}(?:v{_STYLE}s{_STYLE}o{_STYLE})?\[)", re.IGNORECASE)
_PREFIXES = ("##vso", "##vs", "##v", "##", "#")
_DOUBLE = re.compile("#(?=#)")


def visible(text: str) -> str:
    r"""Every control, formatting and unassigned character as a backslash escape (`\x1b`, `\u202e`).

    Those are ESC and what follows it, CR, BEL, BS, NUL, C1, the line separators, what turns the writing direction, what
    has no width, and lone surrogates. Newlines and tabs stay.
    """
    if text.isprintable():
        return text
    return "".join(map(_shown, text))


def _shown(character: str) -> str:
    if character.isprintable() or character in "\n\t" or character in _BLANKS:
        return character
    return character.encode("unicode_escape").decode("ascii")


def one_line(text: str) -> str:
    """A value as part of one line: its own line breaks are shown as ⏎, and its length is bounded."""
    if len(text) > MOST_CHARACTERS:
        text = f"{text[:MOST_CHARACTERS]}… (and {len(text) - MOST_CHARACTERS} more characters)"
    if text.isprintable():
        return text
    return visible(text.replace("\r\n", "\n")).replace("\t", " ").replace("\n", "⏎")


def inert(text: str, begun: str = "") -> str:
    """No `##vso[` and no `##[` in it: what a build agent would obey comes out as `# #vso[`.

    `begun` is what is out already of a command that may go on with this text (see `begun_command`).
    """
    if begun and not _COMMAND.sub("# ", begun + text).startswith(begun + text[:1]):
        text = f" {text}"
    return _COMMAND.sub("# ", text) if "#" in text else text


def begun_command(line: str) -> str:
    """What of a line's end may be the begin of such a command: the rest may come with the next write."""
    return next((line[-len(end) :] for end in _PREFIXES if line[-len(end) :].lower() == end), "")


def escaped_pairs(document: str, escape: str) -> str:
    """A document in which no `##` is left, by an escape of its own language: it means the same to who reads it."""
    return _DOUBLE.sub(lambda _: escape, document)
