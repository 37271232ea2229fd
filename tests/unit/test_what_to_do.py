"""Every error says what to do: it is written where the error is raised, or comes with the error that it is made of."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[2] / "src" / "sohistio"
ERRORS = frozenset(
    {"UsageError", "RefusedError", "FailedError", "VerificationError", "NotObtainedError", "NotUnderstoodError"}
    | {"SohistioError", "LockLostError"}
)


def without(source: str) -> list[int]:
    """The lines on which an error is made that does not say what to do."""
    return [
        call.lineno
        for call in ast.walk(ast.parse(source))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id in ERRORS
        and not any(word.arg == "todo" and word.value != ast.Constant("") for word in call.keywords)
    ]


@pytest.mark.parametrize("file", sorted(SOURCES.rglob("*.py")), ids=lambda path: str(path.relative_to(SOURCES)))
def test_every_error_says_what_to_do(file: Path) -> None:
    assert without(file.read_text(encoding="utf-8")) == []


def test_one_that_does_not_is_found() -> None:
    assert without('raise UsageError("x")\nraise FailedError("y", todo="Do it.")') == [1]
