"""Overlays: laid on twice is laid on once, nothing laid on changes nothing, and what is not named stays."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from damage import places_in
from sohistio.environments.istiooperator import merge_operator
from sohistio.environments.layers import merge

NAMES = st.sampled_from(["a", "b", "c", "name", "kind"])
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-2, 2), st.sampled_from(["", "a", "b", "x"]))
# As gateways, environment variables and overlays of a kind are: lists by name, or lists of anything.
NAMED = st.fixed_dictionaries(
    {"name": st.sampled_from(["x", "y", "z"])},
    optional={"kind": st.sampled_from(["Service", "Deployment"]), "a": SCALARS, "b": st.dictionaries(NAMES, SCALARS)},
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.lists(NAMED, max_size=3), st.dictionaries(NAMES, inner, max_size=3)
    ),
    max_leaves=8,
)
LAYERS = st.dictionaries(NAMES, VALUES, max_size=4)
WAYS = st.sampled_from([merge, merge_operator])


@given(WAYS, LAYERS)
def test_with_nothing_it_is_the_identity(way: Any, layer: dict[str, Any]) -> None:
    assert way(layer, {}) == layer
    assert way({}, layer) == layer
    assert way(layer, layer) == layer


@given(WAYS, LAYERS, LAYERS)
def test_an_overlay_laid_on_twice_changes_nothing_more(way: Any, base: dict[str, Any], over: dict[str, Any]) -> None:
    once = way(base, over)
    assert way(once, over) == once


@given(WAYS, LAYERS, LAYERS)
def test_nobodys_layer_is_changed_or_shared(way: Any, base: dict[str, Any], over: dict[str, Any]) -> None:
    before = copy.deepcopy((base, over))
    merged = way(base, over)
    for place in list(places_in(merged)):
        found = merged
        for key in place:
            found = found[key]
        if isinstance(found, dict):
            found["scribble"] = True
        elif isinstance(found, list):
            found.append("scribble")
    assert (base, over) == before


@given(LAYERS, LAYERS)
def test_every_key_is_of_the_one_or_the_other_and_the_overlay_wins(base: dict[str, Any], over: dict[str, Any]) -> None:
    _check(base, over, merge(base, over))


def _check(base: dict[str, Any], over: dict[str, Any], merged: dict[str, Any]) -> None:
    """Said by hand: a value is the overlay's, where that has the key; of two maps it is a map of both."""
    assert list(merged) == [*base, *(key for key in over if key not in base)], "in the order of the base"
    for key, value in merged.items():
        if isinstance(base.get(key), dict) and isinstance(over.get(key), dict):
            _check(base[key], over[key], value)
        else:
            assert value == (over if key in over else base)[key]


def _by_name(items: list[dict[str, Any]]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(item.get("kind", ""), item["name"]): item for item in items}


UNIQUE = st.lists(NAMED, max_size=4, unique_by=lambda item: (item.get("kind", ""), item["name"]))


@given(UNIQUE, UNIQUE)
def test_of_a_list_by_name_the_others_stay_as_they_are(base: list[Any], over: list[Any]) -> None:
    merged = merge_operator({"env": base}, {"env": over})["env"]
    before, changes, after = map(_by_name, (base, over, merged))
    assert list(after) == [*before, *(name for name in changes if name not in before)]
    for name, item in after.items():
        expected = merge_operator(before.get(name, {}), changes.get(name, {}))
        assert item == (expected if name in changes else before[name])


@given(UNIQUE, UNIQUE)
def test_without_names_lists_replace_each_other(base: list[Any], over: list[Any]) -> None:
    assert merge({"env": base}, {"env": over}) == {"env": over}
