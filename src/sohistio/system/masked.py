"""Text of programs and libraries that nobody looked through, without what looks like a login in it."""

from __future__ import annotations

import re

_MASKS = (
    (re.compile(r"(?i)\b(bearer|basic)\s+[^\s'\"\\]+"), r"\1 …"),
    (re.compile(r"\beyJ[\w-]{8,}(\.[\w-]*)*"), "…"),  # a JSON Web Token
    (
        re.compile(r"(?i)(\b[\w-]*(?:token|password|passwd|secret|api[_-]?key)[\"']?\s*[=:]\s*[\"']?)[^\s'\",;&\\]+"),
        r"\1…",
    ),
    (re.compile(r"(://)[^/\s'\"]*@"), r"\1…@"),
)


def bug_text(error: BaseException) -> str:
    """What an error that nobody expected is: its type and its words, masked."""
    return masked(f"{type(error).__name__}: {error}")


def masked(text: str) -> str:
    """The text with … in place of tokens, passwords and logins in URLs. It may miss some: show no more than needed."""
    for pattern, instead in _MASKS:
        text = pattern.sub(instead, text)
    return text
