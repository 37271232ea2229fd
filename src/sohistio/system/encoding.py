"""Text in the encoding that a stream has: a symbol that is missing there falls back to ASCII, never to an error."""

from __future__ import annotations

import codecs

_HANDLER = "sohistio.symbols"
_SYMBOLS = {
    "→": "->",
    "←": "<-",
    "…": "...",
    "√": "+",
    "✓": "+",
    "✔": "+",
    "×": "x",
    "✘": "x",
    "‼": "!!",
    "≥": ">=",
    "≤": "<=",
    "━": "=",
    "═": "=",
    "│": "|",
    "┃": "|",
    "•": "*",
    "·": "*",
    "\u00a0": " ",
    "\u2013": "-",
    "\u2014": "-",
    "\u2018": "'",
    "\u2019": "'",
    "\u201c": '"',
    "\u201d": '"',
    "⏎": "\\n",
}
_BOX, _BRAILLE = range(0x2500, 0x2580), range(0x2800, 0x2900)


def encoded(text: str, encoding: str) -> bytes:
    """The text; what cannot be encoded is a symbol in ASCII, or else a backslash escape."""
    return text.encode(encoding, _HANDLER)


def _fallback(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_in_ascii, error.object[error.start : error.end])), error.end


def _in_ascii(character: str) -> str:
    if character in _SYMBOLS:
        return _SYMBOLS[character]
    if ord(character) in _BOX:
        return "-" if character == "─" else "+"
    if ord(character) in _BRAILLE:  # a spinner
        return "*"
    return character.encode("ascii", "backslashreplace").decode("ascii")


codecs.register_error(_HANDLER, _fallback)
