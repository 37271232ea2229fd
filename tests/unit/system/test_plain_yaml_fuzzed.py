"""YAML of anybody's: plain values or a ValueError, whatever it is, and nothing that takes the process along."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from damage import damaged_bytes
from sohistio.system.plain_yaml import DEEPEST, loaded

_TEXT = """\
accessLogFile: /dev/stdout
defaultConfig: &a {discoveryAddress: "istiod.istio-system.svc:15012", tracing: {sampling: 1.0}}
extensionProviders:
  - name: otel
    envoyOtelAls: {port: 4317, service: otel.svc}
  - *a
since: 2026-11-28
"""
_LATIN = st.characters(max_codepoint=0xFF, exclude_categories=["Cc"])
_PLAIN = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(_LATIN)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=10,
)


def read(text: str) -> Any:
    try:
        return loaded(text)
    except ValueError as error:
        return str(error) or "?"


@given(_PLAIN)
def test_what_is_good_is_read_as_it_is(value: Any) -> None:
    assert loaded(yaml.safe_dump(value)) == value


@settings(max_examples=150)
@given(damaged_bytes(_TEXT.encode()))
@example(b"a: " + b"[" * 50_000)
@example(b"- " * 50_000)
@example(b"a: 2026-02-31")
@example(b"a: !!bool x")
@example(b"a: !!timestamp x")
@example(b"a: !!binary \xc3\xa9")
@example(b"[1]: {[2]: 3}")
def test_what_is_damaged_is_read_or_a_value_error(content: bytes) -> None:
    assert read(content.decode("utf-8", "replace")) is not NotImplemented


@pytest.mark.parametrize("begin", ["[", "- ", "{a: "])
def test_it_goes_down_so_far_and_no_further(begin: str) -> None:
    end = {"[": "]", "{a: ": "}"}.get(begin, "")
    assert json.dumps(loaded(begin * DEEPEST + "1" + end * DEEPEST))
    with pytest.raises(ValueError, match="nested deeper than 100 levels"):
        loaded(begin * (DEEPEST + 1) + "1" + end * (DEEPEST + 1))


def test_a_milliard_of_values_in_nine_lines_is_not_gone_through() -> None:
    lines = ["a0: &a0 [x]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10))]
    with pytest.raises(ValueError, match="has an alias"):
        loaded("\n".join(lines), aliases=False)
