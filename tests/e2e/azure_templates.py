"""pipelines/*.yml expanded as Azure Pipelines does it before a run: templates with their parameters, if, else, each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from azure_expressions import Variables, evaluate, text_of

_EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_WHOLE = re.compile(r"\$\{\{((?:(?!\}\}).)*)\}\}", re.DOTALL)
_CONTENT = ("stages", "jobs", "steps")
Names = Mapping[str, Any]


def expand(entry: Path, typed: Mapping[str, str], variables: Variables) -> dict[str, Any]:
    """The whole pipeline for one run. Raises ValueError for a value that a parameter does not allow."""
    document = yaml.safe_load(entry.read_text(encoding="utf-8"))
    given = _bound(document.pop("parameters"), typed, entry)
    names = {"parameters": given, "variables": variables}
    expanded: dict[str, Any] = _expand(document, names, entry.parent)
    return expanded


def _bound(declared: list[dict[str, Any]], given: Mapping[str, Any], where: Path) -> dict[str, Any]:
    """The parameters of a template, or of the run: each has a value, of its type, and of its choices."""
    bound = {}
    for item in declared:
        name = item["name"]
        if name not in given and "default" not in item:
            raise ValueError(f"{where.name}: no value for the parameter {name}")
        value = bound[name] = given.get(name, item.get("default"))
        if item["type"] == "boolean" and not isinstance(value, bool):
            raise ValueError(f"{where.name}: {name} is a boolean, not {value!r}")
        if item["type"] == "string" and not isinstance(value, str):
            raise ValueError(f"{where.name}: {name} is a string, not {value!r}")
        if "values" in item and value not in item["values"]:
            raise ValueError(f"{where.name}: {value!r} is none of the values of {name}")
    unknown = given.keys() - bound.keys()
    if unknown:
        raise ValueError(f"{where.name} has no parameter {', '.join(sorted(unknown))}")
    return bound


def _expand(node: Any, names: Names, folder: Path) -> Any:
    if isinstance(node, str):
        return _text(node, names)
    if isinstance(node, list):
        return list(_items(node, names, folder))
    if isinstance(node, dict):
        return dict(_pairs(node, names, folder))
    return node


def _text(text: str, names: Names) -> Any:
    """An expression alone keeps its type; within a text it is written there."""
    if whole := _WHOLE.fullmatch(text):
        return evaluate(whole[1], names)
    return _EXPRESSION.sub(lambda found: text_of(evaluate(found[1], names)), text)


def _items(nodes: list[Any], names: Names, folder: Path) -> Iterator[Any]:
    taken = False
    for node in nodes:
        key, value = next(iter(node.items())) if isinstance(node, dict) and len(node) == 1 else ("", [])
        if control := _control(key):
            taken, inside = _branches(control, names, taken)
            for inner in inside:
                yield from _items(value, inner, folder)
        elif isinstance(node, dict) and "template" in node:
            yield from _included(node, names, folder)
        else:
            yield _expand(node, names, folder)


def _pairs(node: Mapping[str, Any], names: Names, folder: Path) -> Iterator[tuple[str, Any]]:
    taken = False
    for key, value in node.items():
        if control := _control(key):
            taken, inside = _branches(control, names, taken)
            for inner in inside:
                yield from _pairs(value, inner, folder)
        else:
            yield text_of(_text(key, names)), _expand(value, names, folder)


def _control(key: Any) -> str:
    """`if …`, `else`, `each …` of a key, or nothing."""
    whole = _WHOLE.fullmatch(key) if isinstance(key, str) else None
    words = whole[1].strip() if whole else ""
    return words if words.split(" ")[0] in ("if", "else", "elseif", "each") else ""


def _branches(control: str, names: Names, taken: bool) -> tuple[bool, list[Names]]:
    """Whether a branch of this chain is taken now, and the names inside, once for each time it is."""
    word, _, rest = control.partition(" ")
    if word == "if":
        taken = bool(evaluate(rest, names))
        return taken, [names] * taken
    if word == "else":
        return True, [] if taken else [names]
    raise ValueError(f"{control}: not used in pipelines/, so not known here")


def _included(node: Mapping[str, Any], names: Names, folder: Path) -> list[Any]:
    path = folder / node["template"]
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    given = _expand(node.get("parameters", {}), names, folder)
    inside = {"parameters": _bound(document.get("parameters", []), given, path), "variables": names["variables"]}
    (content,) = (document[key] for key in _CONTENT if key in document)
    found: list[Any] = _expand(content, inside, path.parent)
    return found


def scripts_of(folder: Path) -> set[tuple[str, str]]:
    """Every script under pipelines/ as it is written: its title and its lines."""
    found: set[tuple[str, str]] = set()
    for path in sorted(folder.rglob("*.yml")):
        found |= set(_scripts(yaml.safe_load(path.read_text(encoding="utf-8")), {}))
    return found


def _scripts(node: Any, around: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in node.items() if isinstance(node, dict) else ():
        if key in ("bash", "script", "pwsh", "powershell", "inlineScript") and isinstance(value, str):
            if "${{ parameters.script }}" in value:  # the one around the scripts of the other files
                continue
            yield (str((around | node).get("displayName") or (around | node).get("title", "")), value.strip())
        else:
            # A branch of a mapping, and a task's inputs, have the title of what they belong to.
            yield from _scripts(value, node if _control(key) or key == "inputs" else {})
    for item in node if isinstance(node, list) else ():
        yield from _scripts(item, {})
