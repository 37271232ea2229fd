"""Lists of YAML files edited in place: golden diffs, and what cannot be edited without a loss."""

from __future__ import annotations

import difflib
from typing import Any

import pytest
import yaml

from sohistio.environments.yaml_edit import NotEditableError, content_of, with_list, with_value

KEY = ("policy", "egress", "hosts")
NEW = {"host": "b.com", "port": 443, "namespaces": ["shop"]}
BLOCK = ["+      - host: b.com", "+        port: 443", "+        namespaces: [shop]"]
WHOLE = ["+policy:", "+  egress:", "+    hosts:", *BLOCK]
LIST = """\
# top
name:   qa   # two blanks too many
policy:
  egress:
    hosts:
      - host: a.com   # first
        namespaces: [shop]  # eol
      # - host: later.com

# about timeouts
timeouts: {total:   1h}
"""


def hosts_of(text: str) -> list[dict[str, Any]]:
    found: Any = content_of(text)
    for key in KEY:
        found = (found or {}).get(key)
    return [dict(item) for item in found or []]


def changed(text: str, items: list[dict[str, Any]]) -> list[str]:
    """The lines of a diff that begin with + or -."""
    after = with_list(text, KEY, items)
    assert hosts_of(after) == items
    assert yaml.safe_load(after)
    lines = difflib.ndiff(text.splitlines(), after.splitlines())
    return [f"{line[0]}{line[2:]}" for line in lines if line[0] in "+-"]


def after_line(text: str, line: str) -> str:
    """The line that comes next."""
    lines = with_list(text, KEY, [*hosts_of(text), NEW]).splitlines()
    return lines[lines.index(line) + 1]


def test_a_new_entry_stands_after_the_comments_of_the_list_and_before_those_of_what_follows() -> None:
    assert changed(LIST, [*hosts_of(LIST), NEW]) == BLOCK
    assert after_line(LIST, "      # - host: later.com") == "      - host: b.com"
    assert after_line(LIST, "        namespaces: [shop]") == ""


def test_a_new_caller_changes_one_line() -> None:
    assert changed(LIST, [{"host": "a.com", "namespaces": ["shop", "pay"], "serviceAccounts": ["x/y"]}]) == [
        "-        namespaces: [shop]  # eol",
        "+        namespaces: [shop, pay] # eol",
        "+        serviceAccounts: [x/y]",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name: qa\n", WHOLE),
        ("name: qa", WHOLE),
        ("name: qa\n# the end\n", WHOLE),
        ("name: qa\npolicy:\n# about z\nz: 1\n", WHOLE[1:]),
        ("policy:\n  mtls: {}  # strict\n\n# about z\nz: 1\n", WHOLE[1:]),
        ("policy:\n  egress:\n    hosts:\n    # about mode\n    mode: allowAny\n", BLOCK),
        ("policy:\n  egress:\n    mode: allowAny # for now\n    hosts: []\nz: 1\n",
         ["-    hosts: []", "+    hosts:", *BLOCK]),
        ("policy:\n  egress:\n    hosts:\n    - host: a.com\n      namespaces:\n      - shop\n\n# z\nz: 1",
         [line.replace("+  ", "+") for line in BLOCK]),
        ("policy:\n    egress:\n        hosts:\n          - host: a.com\n            namespaces: [x]\n",
         [line.replace("+", "+    ") for line in BLOCK]),
        ("policy:\n  egress:\n    hosts:\n      - {host: a.com, namespaces: [x]}\n\nz: 1\n",
         ["+      - {host: b.com, port: 443, namespaces: [shop]}"]),
        ("policy: {egress: {hosts: []}}\n",
         ["-policy: {egress: {hosts: []}}",
          "+policy: {egress: {hosts: [{host: b.com, port: 443, namespaces: [shop]}]}}"]),
        ("policy: {egress: {hosts: [{host: a.com, port: 80}]}}\n",
         ["-policy: {egress: {hosts: [{host: a.com, port: 80}]}}",
          "+policy: {egress: {hosts: [{host: a.com, port: 80}, {host: b.com, port: 443, namespaces: [shop]}]}}"]),
        ("policy: {mtls: {}}\n", ["-policy: {mtls: {}}",
         "+policy: {mtls: {}, egress: {hosts: [{host: b.com, port: 443, namespaces: [shop]}]}}"]),
        ("a: 'x'\nb: \"y\"\nc: ${VAR}\nd: 0o17\ne: yes\nf: 1.10\ng: |\n  # no comment\n  text\n", WHOLE),
    ],
)  # fmt: skip
def test_only_what_must_change_does(text: str, expected: list[str]) -> None:
    assert changed(text, [*hosts_of(text), NEW]) == expected


def test_the_neighbours_keep_their_layout() -> None:
    text = "policy:\n  egress:\n    hosts: # e\n      - host: a.com\n        tls:   none\ntimeouts: {total:   1h}\n"
    assert changed(text, [*hosts_of(text), NEW]) == BLOCK


def test_a_comment_that_would_be_lost_is_named() -> None:
    """ruamel drops this one, change or none."""
    text = (
        "policy:\n  egress:  # e\n    hosts:  # f\n      - {host: a.com, namespaces: [x]}\n      # about c\n"
        "      - {host: c.com, namespaces: [x]}  # g\n"
    )
    items = [{"host": "a.com", "namespaces": ["x", "y"]}, {"host": "c.com", "namespaces": ["x"]}]
    with pytest.raises(NotEditableError, match="a comment would be lost: # about c"):
        with_list(text, KEY, items)


def test_comments_inside_a_flow_list_survive() -> None:
    text = "policy: {egress: {hosts: [\n  {host: a.com, namespaces: [x]},  # one\n  # two\n  {host: c.com}\n]}}\n"
    after = with_list(text, KEY, [*hosts_of(text), NEW])
    assert "# one" in after
    assert "# two" in after


def test_line_ends_and_a_byte_order_mark_stay() -> None:
    text = "\ufeff" + LIST.replace("\n", "\r\n")
    after = with_list(text, KEY, [*hosts_of(LIST), NEW])
    assert after == "\ufeff" + with_list(LIST, KEY, [*hosts_of(LIST), NEW]).replace("\n", "\r\n")


def test_the_last_line_keeps_its_lack_of_an_end() -> None:
    text = "policy:\n  egress:\n    hosts:\n      - host: a.com\nz: 1"
    assert with_list(text, KEY, [{"host": "a.com"}, NEW]).endswith("\nz: 1")


def test_nothing_to_change_changes_nothing() -> None:
    assert with_list(LIST, KEY, hosts_of(LIST)) == LIST


def test_what_reads_as_something_else_is_quoted() -> None:
    lines = changed("name: qa\n", [{"host": "b.com", "namespaces": ["on", "123", "shop"]}])
    assert lines[-1] == '+        namespaces: ["on", "123", shop]'


@pytest.mark.parametrize("items", [[], [{"host": "a.com"}]])
def test_nothing_is_removed(items: list[dict[str, Any]]) -> None:
    with pytest.raises(NotEditableError, match="not be what is meant"):
        with_list(LIST, KEY, items)


SETTINGS = """\
istio:
  version: 1.30.5  # CHG-7
  pullSecret: null
  hub:   a.com/istio # two more blanks
policy: {mtls: {mode: strict}} # in one line
lists:
  - one # first
  - two
# the end
"""


@pytest.mark.parametrize(
    ("key", "value", "lines"),
    [
        (("istio", "version"), "1.31.1", ["-  version: 1.30.5  # CHG-7", "+  version: 1.31.1  # CHG-7"]),
        (("istio", "pinDigests"), True, ["+  pinDigests: true"]),
        (("istio", "pullSecret"), "jfrogauth", ["-  pullSecret: null", "+  pullSecret: jfrogauth"]),
        (("istio", "build"), "1.31", ['+  build: "1.31"']),
        (
            ("policy", "mtls", "mode"),
            "permissive",
            [
                "-policy: {mtls: {mode: strict}} # in one line",
                "+policy: {mtls: {mode: permissive}} # in one line",
            ],
        ),
        (("lists",), ["one", "two", "three"], ["+  - three"]),
        (("new", "inner"), {"a": 1}, ["+new:", "+  inner:", "+    a: 1"]),
    ],
)
def test_a_value_of_any_kind(key: tuple[str, ...], value: Any, lines: list[str]) -> None:
    after = with_value(SETTINGS, key, value)
    found = [line for line in difflib.ndiff(SETTINGS.splitlines(), after.splitlines()) if line[0] in "+-"]
    assert [f"{line[0]}{line[2:]}" for line in found] == lines


def test_a_comment_within_what_is_replaced_is_not_lost() -> None:
    with pytest.raises(NotEditableError, match="a comment would be lost: # first"):
        with_value(SETTINGS, ("lists",), ["three"])
