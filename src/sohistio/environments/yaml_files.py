"""YAML files people write by hand: read with line numbers, `${VARIABLE}` filled in.

What is wrong with a file is collected as Problems, each with file, line and key, so that one run names them all.
Anchors, aliases, merge keys and tags are not accepted: an environment should read the way it works.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from sohistio.environments.variables import is_variable_name, not_set, value_in
from sohistio.environments.yaml_nodes import DEEPEST, TooDeepError, composed
from sohistio.errors import UsageError
from sohistio.model.nearest import nearest

Key = tuple[str | int, ...]

_VARIABLE = re.compile(r"\$\$\{|\$\{([^}]*)(\}?)")
_AMBIGUOUS = re.compile(r"[-+.]?[0-9][0-9a-fA-FxXoO_.:+-]*|[yYnN]")  # 1e3, 1.31, 0o7, y: numbers and truth to some
_UNSEEN_BREAK = re.compile("[\x85\u2028\u2029]")
_LARGEST = 2**63  # as everybody else reads numbers; of a longer one Python does not even make a text
_SHOWN = 60
# Here variables are named, for others to read: filled in, a secret would be part of the environment.
_NEVER_FILLED_IN = (
    ("istio", "pullSecretSource", "variables"),
    ("istio", "pullSecretRegistries", "*", "variables"),
    ("notify", "webhook"),
)
_TAG = "tag:yaml.org,2002:"
_PLAIN_TAGS = {_TAG + kind for kind in ("null", "bool", "int", "float", "str")}
_TEXT_TAGS = {_TAG + kind for kind in ("timestamp", "value")}  # dates and `=` have no meaning here: they are text


def _is_within(key: Key, place: Sequence[str]) -> bool:
    """Whether a key is at the place or below; `*` is any name."""
    return len(key) >= len(place) and all(part in ("*", found) for found, part in zip(key, place, strict=False))


@dataclass(frozen=True, order=True, slots=True)
class Problem:
    """One thing wrong in one file. `line` 0 means that the file as a whole is meant; `unset` is a variable's name."""

    file: str
    line: int
    key: str
    text: str
    unset: str = field(default="", compare=False)

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.key}: {self.text}" if self.key else f"{place}: {self.text}"


@dataclass(frozen=True, slots=True)
class Document:
    """One file: its data with variables filled in, the line of every key, and what is wrong with it.

    `unread` holds the keys whose values have a problem: a `${VARIABLE}` without a value is left as it is written.
    """

    file: str
    data: dict[str, Any]
    lines: Mapping[Key, int]
    problems: tuple[Problem, ...]
    unread: frozenset[Key]

    def problem(self, key: Key, text: str) -> Problem:
        """A problem at `key`, with the line of it or of the nearest key around it."""
        return Problem(self.file, self.lines.get(self.nearest(key), 0), dotted(key), text)

    def nearest(self, key: Key) -> Key:
        """The longest beginning of `key` that this file holds."""
        while key and key not in self.lines:
            key = key[:-1]
        return key


def invalid(what: str, problems: Iterable[Problem], todo: str = "") -> UsageError:
    """One error for all problems of a set of files, in the order of the files' lines."""
    ordered = sorted(set(problems))
    if unset := dict.fromkeys(problem.unset for problem in ordered if problem.unset):
        todo = f"Set the variable, for example: {'; '.join(f'export {name}=<value>' for name in unset)}"
    todo = todo or "Correct the lines named; `sohistio env validate` checks them again."
    return UsageError(what, details=tuple(str(problem) for problem in ordered), todo=todo)


def dotted(key: Key) -> str:
    """A key path as people write it: `spec.components.ingressGateways[0].name`."""
    text = ""
    for part in key:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def unknown_key(key: str, known: Iterable[str]) -> str:
    """What to say of a key that is not one of `known`: the nearest of them, or all where none is near."""
    names = sorted(known)
    near = nearest(key, names)
    return f"unknown key; did you mean {near}?" if near else f"unknown key; known keys: {', '.join(names)}"


def read_document(path: Path, file: str, variables: Mapping[str, str], text: str | None = None) -> Document:
    """Read one YAML file, or `text` in its place; `file` is how messages name it. Problems are kept, never raised."""
    try:
        root = composed(path.read_text(encoding="utf-8") if text is None else text)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        return _broken(file, *_reason(error))
    if root is None:
        return Document(file, {}, {}, (), frozenset())
    if not isinstance(root, yaml.MappingNode):
        return _broken(file, 1, "must hold keys and values, such as `name: qa`")
    reader = _Reader(file, variables)
    data = reader.mapping(root, ())
    return Document(file, data, reader.lines, tuple(reader.problems), frozenset(reader.unread))


def _reason(error: Exception) -> tuple[int, str]:
    """The line, 0 where there is none, and the reason why a file could not be read."""
    if isinstance(error, OSError):
        return 0, f"cannot be read: {error.strerror}"
    if isinstance(error, UnicodeDecodeError):
        return 0, "is not UTF-8 text"
    if isinstance(error, TooDeepError) and error.problem_mark:
        return error.problem_mark.line + 1, f"is nested too deeply, over {DEEPEST} levels"
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        return error.problem_mark.line + 1, f"is not valid YAML: {error.problem}"
    return 0, f"is not valid YAML: {str(error).splitlines()[0]}"


def _broken(file: str, line: int, text: str) -> Document:
    return Document(file, {}, {}, (Problem(file, line, "", text),), frozenset())


class _Reader:
    """Turns the nodes of one file into data, noting lines and problems on the way."""

    def __init__(self, file: str, variables: Mapping[str, str]) -> None:
        self.file = file
        self.variables = variables
        self.lines: dict[Key, int] = {}
        self.problems: list[Problem] = []
        self.unread: set[Key] = set()
        self._seen: set[int] = set()
        self._yaml = yaml.SafeLoader("")

    def mapping(self, node: yaml.MappingNode, key: Key) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for name_node, value_node in node.value:
            name = name_node.value
            line = name_node.start_mark.line + 1
            if not isinstance(name_node, yaml.ScalarNode) or name_node.tag != _TAG + "str":
                shown = name if isinstance(name, str) else "…"
                self._add(line, key, f"the key {shown} is not text (put it in quotes)")
            elif name in data:
                self._add(line, (*key, name), f"is given twice, first in line {self.lines[*key, name]}")
            else:
                self.lines[*key, name] = line
                data[name] = self._value(value_node, (*key, name))
        return data

    def _value(self, node: yaml.Node, key: Key) -> Any:
        line = node.start_mark.line + 1
        if id(node) in self._seen:  # yaml.compose gives an alias as the very node it stands for
            self._add(self.lines.get(key, line), key, "an alias (*name) is not accepted here; write the value again")
            return None
        self._seen.add(id(node))
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, key)
        if node.tag not in {_TAG + "map", _TAG + "seq"}:
            self._add(line, key, f"the tag {node.tag} is not accepted here")
            return None
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, key)
        items = []
        for index, item in enumerate(node.value):
            self.lines[*key, index] = item.start_mark.line + 1
            items.append(self._value(item, (*key, index)))
        return items

    def _scalar(self, node: yaml.ScalarNode, key: Key) -> Any:
        line = node.start_mark.line + 1
        text = self._fill_in(node.value, line, key)
        tag = node.tag
        if text != node.value and node.style is None:  # unquoted: `${NODES}` with 3 in it is a number
            tag = self._yaml.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
        if tag in _TEXT_TAGS:
            return text
        if tag not in _PLAIN_TAGS:
            self._add(line, key, f"the tag {tag} is not accepted here")
            return None
        try:
            found = self._yaml.construct_object(yaml.ScalarNode(tag, text))
        except (yaml.YAMLError, ValueError, LookupError):
            self._add(line, key, f"{text[:_SHOWN]!r} is not a value of the tag {tag.removeprefix(_TAG)}")
            return None
        if isinstance(found, int) and abs(found) > _LARGEST:
            self._add(line, key, f"{text[:_SHOWN]!r} is too large a number")
            return None
        return found

    def _fill_in(self, text: str, line: int, key: Key) -> str:
        def value_of(match: re.Match[str]) -> str:
            name = match.group(1)
            if any(_is_within(key, place) for place in _NEVER_FILLED_IN):
                self._add(line, key, "expected the name of a variable, without ${}")
                return match.group()
            if name is None:  # $${NAME} stands for the text ${NAME}
                return "${"
            if not match.group(2) or not is_variable_name(name):
                self._add(line, key, f"{match.group()} is not a variable; expected ${{NAME}}")
                return match.group()
            value = value_in(self.variables, name)
            if not value:
                self._add(line, key, not_set(self.variables, name), name)
                return match.group()
            return value

        return _VARIABLE.sub(value_of, text)

    def _add(self, line: int, key: Key, text: str, unset: str = "") -> None:
        self.unread.add(key)
        self.problems.append(Problem(self.file, line, dotted(key), text, unset))


class _Dumper(yaml.SafeDumper):
    """Block style; text that another YAML reader could take for something else is quoted."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = '"' if _AMBIGUOUS.fullmatch(value) else "|" if "\n" in value else None
    if _UNSEEN_BREAK.search(value):  # as it stands, it is read as another line's end, or as a blank
        style = '"'
    return dumper.represent_scalar(_TAG + "str", value, style=style)


_Dumper.add_representer(str, _text)


def to_yaml(document: Mapping[str, Any]) -> str:
    """A document as YAML text, its keys in the order given."""
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=120, allow_unicode=True)
