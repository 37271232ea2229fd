"""Strategies: a good input damaged, as by a bad disk, a merge, a proxy or somebody bad; and who watches files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

DEEP = 1_200
"""Levels of nesting, far more than Python's stack takes."""
_HUGE = 10**30
# Bytes that somebody may put anywhere: NUL, no UTF-8, a surrogate, an order mark, a line's other end, much of one.
_ODD_BYTES = (
    *(b"\0", b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\r", b"\xc2\x85", b"\xe2\x80\xa8", b"\t", b"\x1b[2J"),
    *(b"[" * DEEP, b"{" * DEEP, b'{"a":' * DEEP, b"- " * DEEP, b"9" * 5_000, b"0x" + b"f" * 5_000, b"1e999999"),
    *(b"&a ", b"*a", b"<<: *a\n", b"!!python/object/apply:os.getpid []", b"!!binary ", b"!<x> ", b"%YAML 9.9\n---\n"),
    *(b"\n---\n", b"\n...\n", b": ", b"? ", b"| ", b"'", b'"', b"# ", b"`", b"@", b"%", b"null", b"~", b"${", b"$${"),
    *(
        b"${}",
        b"${NOT_SET}",
        b"${SOHISTIO_IP_PREFIX",
        b"\xf0\x9f\x92\xa5",
        b"0o777",
        b"1:30:30",
        b".inf",
        b"2026-02-31",
    ),
)


@st.composite
def damaged_bytes(draw: st.DrawFn, whole: bytes, odd: Sequence[bytes] = _ODD_BYTES) -> bytes:
    """One to three wounds: a byte flipped, an end cut off, a piece taken out, written twice or moved, something odd."""
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(whole)))
        until = min(len(whole), at + draw(st.integers(1, 40)))
        how = draw(st.sampled_from(["flip", "cut", "without", "twice", "odd", "odd", "instead"]))
        piece = whole[at:until]
        if how == "flip" and piece:
            piece = bytes([piece[0] ^ (1 << draw(st.integers(0, 7)))]) + piece[1:]
        elif how == "cut":
            return whole[:at]
        elif how == "without":
            piece = b""
        elif how == "twice":
            piece *= 2
        elif how == "odd":
            piece = draw(st.sampled_from(odd)) + piece
        elif how == "instead":
            piece = draw(st.sampled_from(odd))
        whole = whole[:at] + piece + whole[until:]
    return whole


def nested(levels: int, inner: Any = 1, *, by_key: bool = False) -> Any:
    """A value in so many lists, or maps."""
    for _ in range(levels):
        inner = {"a": inner} if by_key else [inner]
    return inner


# Every type at every place, and of each what is at its ends. Half a character is text to JSON, and to nobody else.
ODD_VALUES: st.SearchStrategy[Any] = st.sampled_from(
    [
        *(
            None,
            True,
            False,
            0,
            -1,
            1,
            2**31,
            2**63,
            _HUGE,
            -_HUGE,
            0.5,
            1e308,
            "",
            " ",
            "x",
            "0",
            "-1",
            "true",
            "1.31.1",
        ),
        *(
            "\0",
            "\ud800",
            "\u202e",
            "a\nb",
            "x" * 300,
            "../..",
            "https://[",
            "10.0.0.256",
            "٣",
            "1.1.1.1/99",
            "*",
            "%s",
        ),
        *([], [[]], [None], [1, "a"], ["x", "x"], {}, {"": None}, {"a": []}, {"name": None}, [{"name": "x"}] * 2),
        *(nested(60), nested(60, by_key=True)),
    ]
)


def places_in(document: Any, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The paths to all values of a document, itself the first."""
    yield at
    items = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for key, value in items:
        yield from places_in(value, (*at, key))


@st.composite
def damaged_documents(draw: st.DrawFn, document: Any, values: st.SearchStrategy[Any] = ODD_VALUES) -> Any:
    """A document with one to three places where something else stands, or nothing, or something more."""
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.sampled_from(list(places_in(document))))
        how = draw(st.sampled_from(["instead", "instead", "without", "more", "renamed"]))
        document = changed(document, place, how, draw(values))
    return document


def changed(document: Any, place: Sequence[str | int], how: str, value: Any) -> Any:
    """A document with one place changed: `value` instead, the place `without`, `renamed`, or one `more` beside it."""
    if not place:
        return value if how == "instead" else document
    key, *rest = place
    items = list(document.items() if isinstance(document, dict) else enumerate(document))
    found: list[tuple[Any, Any]] = []
    for name, item in items:
        if name != key:
            found.append((name, item))
        elif rest:
            found.append((name, changed(item, rest, how, value)))
        elif how == "instead":
            found.append((name, value))
        elif how == "more":
            found += [(name, item), (f"{name}x", value)]
        elif how == "renamed":
            found.append((f"{name}x", item))
    return dict(found) if isinstance(document, dict) else [item for _, item in found]


@contextmanager
def nothing_written(folder: Path) -> Iterator[None]:
    """Raises AssertionError where a file of the folder was written, made or removed meanwhile."""
    before = _files(folder)
    yield
    assert _files(folder) == before


def _files(folder: Path) -> dict[Path, tuple[int, int, bytes]]:
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path: (path.stat().st_mtime_ns, path.stat().st_mode, path.read_bytes()) for path in found}
