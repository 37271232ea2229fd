"""An environment's file with another's version and settings: what that would be. Nothing is written here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sohistio.environments.file_edit import FileEdit
from sohistio.environments.layers import merge
from sohistio.environments.load import BASE, FILE, Environment, load_environment, shown
from sohistio.environments.promotion_keys import VERSION, has, is_promoted, leaves, own_part, value_at
from sohistio.environments.promotion_keys import Path as KeyPath
from sohistio.environments.yaml_edit import NotEditableError, content_of, content_with, with_value
from sohistio.environments.yaml_files import dotted, to_yaml
from sohistio.errors import UsageError
from sohistio.system.replaced_file import exact_text

_IDENTITY = {("name",), ("description",), ("promotesFrom",), ("standbyOf",)}


@dataclass(frozen=True, slots=True)
class Promoted:
    """One key that changes, with the value that it has in the target and in the source; None for none."""

    key: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class PromotionEdit(FileEdit):
    """The target's file before and after, both environments valid. `after` equals `before` where nothing is promoted.

    `not_promoted` are keys that differ and stay as they are, since they are the environment's own; `only_here` promoted
    ones that only the target's file sets, so nobody has tried them.
    """

    source: Environment
    target: Environment
    proposed: Environment
    promoted: tuple[Promoted, ...]
    not_promoted: tuple[str, ...]
    only_here: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Layers:
    """The files as they are written: base's, and the own ones of the source and the target."""

    base: Mapping[str, Any]
    source: Mapping[str, Any]
    target: Mapping[str, Any]

    @property
    def there(self) -> dict[str, Any]:
        """What is in force in the source."""
        return merge(self.base, self.source)

    @property
    def here(self) -> dict[str, Any]:
        """What is in force in the target."""
        return merge(self.base, self.target)

    def is_off(self, key: KeyPath) -> bool:
        """Whether the target's file switches off what is around the key: a key below would switch all of it on."""
        return any(has(self.target, key[:depth], None) for depth in range(1, len(key)))


def promotion_edit(source: str, target: str, root: Path, variables: Mapping[str, str]) -> PromotionEdit:
    """What brings the source's version and settings into the target's own file. Variables stay as they are written.

    Raises UsageError: for an environment that is not valid, or would not be; for a file that cannot be edited without a
    loss.
    """
    environments = load_environment(source, root, variables), load_environment(target, root, variables)
    path = root / target / FILE
    file, text = shown(path), exact_text(path)
    layers = _Layers(*(content_of(exact_text(root / name / FILE)) for name in (BASE, source, target)))
    wanted = dict(_wanted(layers))
    after = _edited(text, wanted, file)
    proposed = load_environment(target, root, variables, {path: after}) if wanted else environments[1]
    return PromotionEdit(
        path,
        file,
        text,
        after,
        *environments,
        proposed,
        tuple(Promoted(dotted(key), value_at(layers.here, key), value) for key, value in wanted.items()),
        tuple(dict.fromkeys(_not_promoted(layers))),
        tuple(_only_here(layers)),
    )


def _wanted(layers: _Layers) -> Iterator[tuple[KeyPath, Any]]:
    """The version that is in force there, and what its own file sets, where it is not so here."""
    version = value_at(layers.there, VERSION)
    if not has(layers.here, VERSION, version):
        yield VERSION, version
    for key, value in leaves(layers.source):
        if key != VERSION and is_promoted(key) and not has(layers.here, key, value) and not layers.is_off(key):
            yield key, value


def _not_promoted(layers: _Layers) -> Iterator[str]:
    """Keys that one of both files sets, that differ and stay: each by the part that says whose they are."""
    for one, other in ((layers.source, layers.here), (layers.target, layers.there)):
        for key, value in leaves(one):
            if (not is_promoted(key) or layers.is_off(key)) and not has(other, key, value) and key not in _IDENTITY:
                yield dotted(own_part(key))


def _only_here(layers: _Layers) -> Iterator[str]:
    set_there = {VERSION, *(key for key, _ in leaves(layers.source))}
    for key, value in leaves(layers.target):
        if is_promoted(key) and key not in set_there and not has(layers.there, key, value):
            yield dotted(key)


def _edited(text: str, wanted: Mapping[KeyPath, Any], file: str) -> str:
    try:
        for key, value in wanted.items():
            text = with_value(text, key, value)
    except NotEditableError as error:
        by_hand: dict[str, Any] = {}
        for key, value in wanted.items():
            by_hand = content_with(by_hand, key, value)
        raise UsageError(
            f"{file} cannot be edited: {error}",
            details=tuple(to_yaml(by_hand).splitlines()),
            todo="Nothing was written. Change it by hand; the lines above are what it should have.",
        ) from error
    return text
