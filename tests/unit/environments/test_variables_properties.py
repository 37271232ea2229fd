"""`${VARIABLE}` in files: what is no variable stays as it is written, and no value is looked at again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import yaml
from hypothesis import assume, example, given
from hypothesis import strategies as st

from sohistio.environments.variables import variables_for
from sohistio.environments.yaml_files import Document, read_document, to_yaml

NOWHERE = Path("/nowhere")
# What JSON writes in quotes YAML reads as the same text. Dollars and braces are dense.
_SHOWN = st.characters(min_codepoint=32, max_codepoint=0x24FF, exclude_categories=("Cc", "Zl", "Zp"))
TEXTS = st.text(st.one_of(st.sampled_from("${}$ab_"), _SHOWN), max_size=12)
PLAIN = TEXTS.filter(lambda text: "${" not in text)
NAMES = st.sampled_from(["A", "B_2", "_c", "SOHISTIO_IP_PREFIX"])
# A value may look like a variable, or like YAML; without a line's end, which goes (variables.py), and not Azure's $(X).
HELD = st.one_of(TEXTS, st.sampled_from(["${A}", "$${A}", "${NOT_SET}", "{a: [", "10.20", "null", "- x", "'"]))
SETS = st.dictionaries(NAMES, HELD.filter(lambda text: text.strip() == text != "" and not text.startswith("$(")))


def read(text: str, variables: Mapping[str, str]) -> Document:
    return read_document(NOWHERE, "a.yaml", variables, text)


def quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def value_of(text: str, variables: Mapping[str, str]) -> object:
    document = read(f"a: {quoted(text)}", variables)
    assert document.problems == ()
    return document.data["a"]


@given(PLAIN, SETS)
def test_text_without_a_variable_is_unchanged(text: str, variables: dict[str, str]) -> None:
    assert value_of(text, variables) == text


@given(TEXTS, SETS)
@example("$${A}", {"A": "x"})
def test_what_is_escaped_is_itself(text: str, variables: dict[str, str]) -> None:
    assert value_of(text.replace("${", "$${"), variables) == text


PIECES = st.lists(st.one_of(st.tuples(st.just("text"), PLAIN), st.tuples(st.just("variable"), NAMES)), max_size=6)


@given(PIECES, SETS)
@example([("variable", "A"), ("variable", "B_2")], {"A": "${B_2}", "B_2": "$${A}"})
def test_each_variable_is_its_value_and_no_value_is_looked_at_again(
    pieces: list[tuple[str, str]], variables: dict[str, str]
) -> None:
    # Of a text's last $ and the next variable's braces an escape would be made.
    assume(not any(kind == "text" and text.endswith("$") for kind, text in pieces))
    written = "".join(f"${{{text}}}" if kind == "variable" else text for kind, text in pieces)
    assume("${" not in "".join("\0" if kind == "variable" else text for kind, text in pieces))
    missing = [text for kind, text in pieces if kind == "variable" and text not in variables]
    if not missing:
        expected = "".join(variables[text] if kind == "variable" else text for kind, text in pieces)
        assert value_of(written, variables) == expected
        return
    document = read(f"a: {quoted(written)}", variables)
    named = [f"the variable {name} is not set" for name in missing]
    assert [problem.text for problem in document.problems] == named
    assert document.unread == {("a",)}


@given(st.lists(st.lists(NAMES, max_size=3), min_size=1, max_size=8))
def test_every_unknown_variable_is_a_problem_with_its_line(lines: list[list[str]]) -> None:
    text = "".join(f"k{at}: x{''.join(f'-${{{name}}}' for name in names)}\n" for at, names in enumerate(lines, 1))
    found = [(problem.line, problem.key, problem.text) for problem in read(text, {}).problems]
    assert found == [
        (at, f"k{at}", f"the variable {name} is not set") for at, names in enumerate(lines, 1) for name in names
    ]


@given(TEXTS, SETS)
def test_whatever_is_written_each_problem_has_a_line_and_nothing_is_raised(
    text: str, variables: dict[str, str]
) -> None:
    document = read(f"# first\na: {quoted(text)}\nb: 1", variables)
    assert document.data["b"] == 1
    assert all((problem.line, problem.key) == (2, "a") for problem in document.problems)
    assert bool(document.problems) is bool(document.unread)


@given(st.one_of(HELD, st.text()))
@example("0x" + "f" * 5000)
@example("9" * 5000)
def test_a_value_never_becomes_structure(value: str) -> None:
    """Without quotes a number may become of it, or nothing; never a list, a key or another line."""
    document = read("a: ${A}\nb: 1", {"A": value})
    assert list(document.data) == ["a", "b"]
    assert not isinstance(document.data["a"], (dict, list))


@given(st.sampled_from(["dr", "a-b", "qa"]), st.dictionaries(NAMES, TEXTS), st.dictionaries(NAMES, TEXTS))
def test_an_environments_own_variable_comes_first(name: str, shared: dict[str, str], own: dict[str, str]) -> None:
    suffix = name.upper().replace("-", "_")
    theirs = {f"{key}_{suffix}": value for key, value in own.items() if value.strip() and key.startswith("SOHISTIO_")}
    assume(not any(value.strip().startswith("$(") for value in theirs.values()))
    seen = variables_for(name, shared | theirs)
    for key, value in shared.items():
        assert seen[key] == theirs.get(f"{key}_{suffix}", value)


@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.text()),
        lambda it: st.lists(it, max_size=2) | st.dictionaries(st.text(min_size=1), it, max_size=2),
        max_leaves=4,
    )
)
@example("a\x85b\nc")
@example({"a\u2028b": None})
def test_what_is_written_for_istioctl_reads_the_same(value: object) -> None:
    assert yaml.safe_load(to_yaml({"a": value})) == {"a": value}
