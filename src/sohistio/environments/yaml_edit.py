"""Edits YAML files that people write: comments, order and formatting stay, and all lines that need not change.

ruamel.yaml writes a document with its comments, but in its own layout: yaml_lines.py carries the change over.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import CommentMark, YAMLError
from ruamel.yaml.scalarstring import DoubleQuotedScalarString
from ruamel.yaml.tokens import CommentToken

from sohistio.environments.yaml_lines import carried_over, comments_of

_WIDE = 1_000_000  # lines are as long as they are
_NULL = re.compile(r":(?:null|~)(?=#|$)")
_MARK = "\ufeff"  # which some editors put first
_TEXT = "tag:yaml.org,2002:str"
_Slot = tuple[Any, Any]  # a map or list, and the key of the value whose line has a comment


class NotEditableError(Exception):
    """The change cannot be made without losing a comment or changing something else."""


def content_of(text: str) -> dict[str, Any]:
    """The document as plain data, each `${VARIABLE}` as written. For files that are known to be valid."""
    found = YAML(typ="safe", pure=True).load(text)
    return found if isinstance(found, dict) else {}


def content_with(content: Mapping[str, Any], key: Sequence[str], value: Any) -> dict[str, Any]:
    """The content with `value` at `key`; the content itself is not changed."""
    if len(key) == 1:
        return {**content, key[0]: value}
    return {**content, key[0]: content_with(content.get(key[0]) or {}, key[1:], value)}


def with_list(text: str, key: Sequence[str], items: Sequence[Mapping[str, Any]]) -> str:
    """The text with the list at `key` made equal to `items`: entries get new keys and values, new ones come last.

    Nothing is removed. New lines end as most of the others do. Raises NotEditableError.
    """
    return _edited(text, key, [dict(item) for item in items], whole=False)


def with_value(text: str, key: Sequence[str], value: Any) -> str:
    """The text with `value` at `key`, in place of what is there; a list that only gets longer is extended.

    Raises NotEditableError, also where a comment within what is replaced would be lost.
    """
    found: Any = content_of(text)
    for name in key:
        found = found.get(name) if isinstance(found, dict) else None
    is_longer = isinstance(found, list) and isinstance(value, list) and bool(found) and value[: len(found)] == found
    return _edited(text, key, value, whole=not is_longer)


def _edited(text: str, key: Sequence[str], value: Any, *, whole: bool) -> str:
    if text.startswith(_MARK):
        return _MARK + _edited(text.removeprefix(_MARK), key, value, whole=whole)
    wanted = content_with(content_of(text), key, value)
    lines = text.splitlines(keepends=True)
    end = "\r\n" if sum(line.endswith("\r\n") for line in lines) * 2 > len(lines) else "\n"
    plain = [line.rstrip("\r\n") for line in lines]
    try:
        written = _written(plain), _written(plain, _Change(key, value, whole))
    except YAMLError as error:
        raise NotEditableError("it cannot be written anew") from error
    # Where only the layout differs a line is the same; if that misplaces what is new, those lines are new as well.
    reason = ""
    for alike in (_loosely, str):
        merged = carried_over(lines, written, alike, end)
        reason = _loss(plain, merged, wanted)
        if not reason:
            return merged
    raise NotEditableError(reason)


def _loss(lines: Sequence[str], merged: str, wanted: Mapping[str, Any]) -> str:
    """What is wrong with a result, empty where nothing is."""
    try:
        found = content_of(merged)
    except YAMLError:
        return "the result would not be valid YAML"
    if found != wanted:
        return "the result would not be what is meant"
    lost = comments_of(lines) - comments_of(merged.splitlines())
    return f"a comment would be lost: {min(lost)}" if lost else ""


def _loosely(line: str) -> str:
    """A line without its blanks, and without a written null, which ruamel leaves out."""
    return _NULL.sub(":", "".join(line.split()))


@dataclass(frozen=True, slots=True)
class _Change:
    """A value for a key: `whole` puts it in place of what is there, else a list there is extended."""

    key: Sequence[str]
    value: Any
    whole: bool


def _written(lines: Sequence[str], change: _Change | None = None) -> list[str]:
    """The lines as ruamel writes them, with the change where one is given."""
    writer = YAML()
    writer.preserve_quotes = True
    writer.width = _WIDE
    document = writer.load("\n".join(lines) + "\n")
    step, offset = _indents(document)
    writer.indent(mapping=step, sequence=offset + 2, offset=offset)
    if change is not None:
        _set(document, change)
    text = io.StringIO()
    writer.dump(document, text)
    return text.getvalue().splitlines()


def _indents(document: CommentedMap) -> tuple[int, int]:
    """How far maps are indented, and the dashes of lists: as the first of them."""
    steps, offsets = [2], [2]
    for parent, child in reversed(list(_blocks(document))):
        (steps if isinstance(child, CommentedMap) else offsets).append(child.lc.col - parent.lc.col)
    return max(steps[-1], 1), max(offsets[-1], 0)


def _blocks(parent: CommentedMap) -> Iterator[tuple[CommentedMap, CommentedMap | CommentedSeq]]:
    """Each map or list in block style that a map's key holds, with that map."""
    for child in parent.values():
        if isinstance(child, (CommentedMap, CommentedSeq)) and child and not child.fa.flow_style():
            yield parent, child
            if isinstance(child, CommentedMap):
                yield from _blocks(child)


def _set(document: CommentedMap, change: _Change) -> None:
    parent, column, key = document, -1, change.key
    for index, name in enumerate(key[:-1]):
        below = parent.get(name)
        if not isinstance(below, CommentedMap) or not below:
            value = change.value
            for inner in reversed(key[index + 1 :]):
                value = {inner: value}
            _put(parent, name, _made(value, flow=bool(parent.fa.flow_style())), column)
            return
        parent, column = below, parent.lc.col
    if change.whole:
        _put(parent, key[-1], _made(change.value, flow=bool(parent.fa.flow_style())), column)
    else:
        _fit(parent, key[-1], change.value, column)


def _fit(parent: CommentedMap, name: str, value: Any, column: int) -> None:
    """Make a value of a map equal to `value`. `column` is that of the map's own key."""
    found, flow = parent.get(name), bool(parent.fa.flow_style())
    if not isinstance(found, CommentedSeq) or not found:
        is_flow = flow or not any(isinstance(item, Mapping) for item in value)
        _put(parent, name, _made(value, flow=is_flow), column)
        return
    for index, item in enumerate(value):
        if index == len(found):
            like = found[-1]
            is_flow = bool(found.fa.flow_style()) or (isinstance(like, CommentedMap) and bool(like.fa.flow_style()))
            tail = _take_tail(_last_slot(found), parent.lc.col)
            found.append(_made(item, flow=is_flow))
            _give_tail(_last_slot(found), tail)
        elif isinstance(item, Mapping):
            for inner, wanted in item.items():
                if found[index].get(inner) != wanted:
                    _fit(found[index], inner, wanted, found.lc.col)


def _put(parent: CommentedMap, name: str, value: Any, column: int) -> None:
    """A value in place of an empty one, or at the end of the map."""
    is_new = name not in parent
    tail = _take_tail(_last_slot(parent), column) if is_new else _take_tail((parent, name), parent.lc.col)
    parent[name] = value
    _give_tail(_last_slot(parent) if is_new else _last_slot(value) or (parent, name), tail)


def _made(value: Any, *, flow: bool) -> Any:
    """A value in ruamel's types; lists of texts are always in one line."""
    if isinstance(value, Mapping):
        made: Any = CommentedMap({name: _made(item, flow=flow) for name, item in value.items()})
    elif isinstance(value, (list, tuple)):
        made = CommentedSeq(_made(item, flow=flow) for item in value)
        flow = flow or not any(isinstance(item, Mapping) for item in value)
    elif isinstance(value, str):
        # Plain text that sohistio's reader takes for a number or for truth is quoted.
        resolved = yaml.SafeLoader("").resolve(yaml.ScalarNode, value, (True, False))  # type: ignore[no-untyped-call]
        return value if resolved == _TEXT else DoubleQuotedScalarString(value)
    else:
        return value
    (made.fa.set_flow_style if flow else made.fa.set_block_style)()
    return made


def _take_tail(slot: _Slot | None, column: int) -> str:
    """Remove and give what follows the line of a value and is not indented beyond `column`: it is about what
    comes next, and ruamel would leave it before what is added.
    """
    token = None if slot is None else _token(*slot)
    if token is None:
        return ""
    first, *rest = token.value.splitlines(keepends=True)
    inner = [index for index, line in enumerate(rest) if line.strip() and len(line) - len(line.lstrip()) > column]
    kept = inner[-1] + 1 if inner else 0
    token.value = first + "".join(rest[:kept])
    return "".join(rest[kept:])


def _give_tail(slot: _Slot | None, tail: str) -> None:
    if not tail or slot is None:
        return
    holder, last = slot
    if token := _token(holder, last):
        token.value = f"{token.value}{tail}"
        return
    slots = holder.ca.items.setdefault(last, [None, None, None, None])
    slots[2 if isinstance(holder, CommentedMap) else 0] = CommentToken(f"\n{tail}", CommentMark(0), None)


def _last_slot(container: Any) -> _Slot | None:
    """The map or list, and its key, whose value is the last of a container's lines."""
    if not isinstance(container, (CommentedMap, CommentedSeq)) or not container or container.fa.flow_style():
        return None
    last = list(container)[-1] if isinstance(container, CommentedMap) else len(container) - 1
    below = container[last]
    inner = _last_slot(below) if isinstance(below, (CommentedMap, CommentedSeq)) else None
    return inner or (container, last)


def _token(holder: Any, last: Any) -> CommentToken | None:
    slots = holder.ca.items.get(last) or []
    at = 2 if isinstance(holder, CommentedMap) else 0
    found = slots[at] if len(slots) > at else None
    return found if isinstance(found, CommentToken) else None
