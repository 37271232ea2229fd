"""The reference of environment.yaml as Markdown, made of its JSON schema: keys, kinds, defaults, meaning, examples.

Examples are what the environments of this repository have, else what the pages of docs/ show.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from sohistio.environments.model import Environment
from sohistio.model.durations import duration_of

ROOT = Path(__file__).parent.parent
_ENVIRONMENTS = ("base", "qa", "prod", "dr", "local")
_YAML = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
_DURATION = "[smhd]"
_LONGEST = 70
_INTRODUCTION = """\
# Reference of environment.yaml

Made of the JSON schema by `make docs-reference`. How files are merged, variables filled in and each part is meant:
[environments](../environments.md). `sohistio env schema` prints the schema, with which your editor completes and
checks the keys. An unknown key is an error that names the nearest known one.

`[]` stands for each item of a list, `NAME` for a key of your own. A default marked *(base)* is what
`environments/base` of this repository says. A key without a default may be left out, unless it says *must be given*:
then base or the environment has to say it. Below a key that is left out, nothing must be given.
"""


@dataclass(frozen=True)
class Key:
    """A key of environment.yaml, by its path."""

    path: str
    kind: str
    default: str
    meaning: str


@dataclass
class _Walk:
    """What has been described, so that a part that several keys have is described once."""

    definitions: dict[str, Any]
    described: dict[str, str] = field(default_factory=dict)

    def keys(self, part: dict[str, Any], path: str = "") -> Iterator[Key]:
        """The keys of a part, with all that is below them."""
        for name, schema in part["properties"].items():
            below, where = self._resolved(schema, f"{path}.{name}".lstrip("."))
            kind = self._kind(schema)
            seen = self.described.get(below, "") if below else ""
            if below and not seen:
                self.described[below] = where
            definition = self.definitions.get(below, {})
            meaning = schema.get("description") or definition.get("description", "")
            if seen:
                meaning = f"{meaning.rstrip('.')}. As `{seen}`".lstrip(". ")
            must = name in part.get("required", ())
            yield Key(where, kind, "must be given" if must else _default(schema), meaning)
            if "properties" in definition and not seen:
                yield from self.keys(definition, where)

    def _resolved(self, schema: dict[str, Any], path: str) -> tuple[str, str]:
        """The name of the part that the schema holds, empty if it holds none, and the path with what repeats."""
        own = _options(schema)[0]
        if "items" in own:
            return self._resolved(own["items"], f"{path}[]")
        if isinstance(own.get("additionalProperties"), dict):
            return self._resolved(own["additionalProperties"], f"{path}.NAME")
        return own.get("$ref", "").rpartition("/")[2], path

    def _kind(self, schema: dict[str, Any]) -> str:
        if "anyOf" in schema:
            return " or ".join(self._kind(option) for option in _options(schema))
        if "$ref" in schema:
            return self._kind(self.definitions[schema["$ref"].rpartition("/")[2]])
        if "items" in schema:
            return f"list of {_several(self._kind(schema['items']))}"
        if isinstance(schema.get("additionalProperties"), dict):
            return f"map of {_several(self._kind(schema['additionalProperties']))}"
        if "enum" in schema:
            return " or ".join(f"`{value}`" for value in schema["enum"])
        return _simple_kind(schema)


def environments_page() -> str:
    """The page."""
    schema = Environment.model_json_schema(by_alias=True)
    keys = list(_Walk(schema["$defs"]).keys(schema))
    examples = _examples(documents(ROOT))
    base = _examples([_layer("base")])
    parts = [_INTRODUCTION]
    tops: dict[str, list[Key]] = {_top(key.path): [] for key in keys}
    for key in keys:
        tops[_top(key.path)].append(key)
    singles = [below[0] for below in tops.values() if len(below) == 1]
    parts.append(_table("The environment itself", singles, base, examples))
    parts += [_table(top, below, base, examples) for top, below in tops.items() if len(below) > 1]
    return "\n".join(parts)


def documents(root: Path) -> list[Any]:
    """Examples of environment.yaml: the repository's own, then those that pages show."""
    shown: list[Any] = []
    known = set(Environment.model_json_schema(by_alias=True)["properties"])
    for page in sorted((root / "docs").glob("*.md")):
        for block in _YAML.findall(page.read_text(encoding="utf-8")):
            found = yaml.safe_load_all(block)
            shown += [document for document in found if isinstance(document, dict) and document.keys() <= known]
    return [*(_layer(name) for name in _ENVIRONMENTS), *shown]


def _layer(name: str) -> Any:
    return yaml.safe_load((ROOT / "environments" / name / "environment.yaml").read_text(encoding="utf-8"))


def _top(path: str) -> str:
    return re.split(r"[.\[]", path)[0]


def _table(title: str, keys: list[Key], base: dict[str, Any], examples: dict[str, Any]) -> str:
    rows = [f"\n## {title}\n", "| key | kind | default | |", "|---|---|---|---|"]
    for key in keys:
        default = f"{_flow(base[key.path])} *(base)*" if key.path in base else key.default
        example = _flow(examples.get(key.path))
        meaning = [key.meaning.rstrip("."), f"Example: {example}" if example and key.path not in base else ""]
        cells = (f"`{key.path}`", key.kind, default, ". ".join(part for part in meaning if part))
        rows.append("| " + " | ".join(cell.replace("|", "\\|").replace("<", "&lt;") for cell in cells) + " |")
    return "\n".join(rows) + "\n"


def _examples(found: Iterable[Any]) -> dict[str, Any]:
    """By path the first value that is one, not a map or a list of maps."""
    examples: dict[str, Any] = {}
    for document in found:
        for path, value in _values(document, ""):
            examples.setdefault(path, value)
    return examples


def _values(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, below in value.items():
            yield from _values(below, f"{path}.{name}".lstrip("."))
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        for item in value:
            yield from _values(item, f"{path}[]")
    elif isinstance(value, list):
        yield f"{path}[]", value
    elif value not in (None, ""):
        yield path, value


def _default(schema: dict[str, Any]) -> str:
    value = schema.get("default")
    if value is None or value in ("", [], {}) or isinstance(value, dict):
        return ""
    if isinstance(value, int) and _DURATION in schema.get("pattern", ""):
        return f"`{duration_of(value)}`"
    return _flow(value)


def _flow(value: Any) -> str:
    """As it is written in one line of YAML; nothing if that is too long to be read in a table."""
    if value is None:
        return ""
    text = (
        yaml.safe_dump(value, default_flow_style=True, width=10_000, allow_unicode=True).removesuffix("\n...\n").strip()
    )
    return f"`{text}`" if len(text) <= _LONGEST else ""


def _options(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """What a value may be, apart from null."""
    return [option for option in schema.get("anyOf", [schema]) if option.get("type") != "null"]


def _simple_kind(schema: dict[str, Any]) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    if high is not None:
        return f"number, {low or 0} to {high}"
    if low is not None:
        return f"number, at least {low}"
    if _DURATION in schema.get("pattern", ""):
        return "time, such as `5m`"
    kind = str(schema.get("type", "value"))
    return {"string": "text", "boolean": "`true` or `false`", "object": "map", "integer": "number"}.get(kind, kind)


def _several(kind: str) -> str:
    word, comma, rest = kind.partition(",")
    return f"{word.replace('list', 'lists', 1) if ' ' in word else word + 's'}{comma}{rest}"
