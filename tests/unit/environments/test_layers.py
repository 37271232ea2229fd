"""Layers and variables: what an environment's files become."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from environment_folder import OPERATOR, QA, VARIABLES, environment_folder
from sohistio.environments.layers import merge
from sohistio.environments.load import load_environment
from sohistio.environments.yaml_files import read_document, to_yaml
from sohistio.model.sync import Exclusion, Substitution, SyncRules
from sohistio.model.versions import Version


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return environment_folder(tmp_path)


@pytest.mark.parametrize(
    ("base", "over", "by_name", "expected"),
    [
        ({"a": 1}, {"b": 2}, False, {"a": 1, "b": 2}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"c": 3}}, False, {"a": {"b": 1, "c": 3}}),
        ({"a": [1, 2]}, {"a": [3]}, False, {"a": [3]}),
        ({"a": {"b": 1}}, {"a": None}, False, {"a": None}),
        ({"a": 1}, {"a": {"b": 1}}, False, {"a": {"b": 1}}),
        ({"a": [{"name": "x", "v": 1}]}, {"a": [{"name": "x", "w": 2}]}, False, {"a": [{"name": "x", "w": 2}]}),
        (
            {"a": [{"name": "x", "v": 1}, {"name": "y"}]},
            {"a": [{"name": "z"}, {"name": "x", "w": 2}]},
            True,
            {"a": [{"name": "x", "v": 1, "w": 2}, {"name": "y"}, {"name": "z"}]},
        ),
        (  # overlays of two kinds with one name are two items
            {"a": [{"kind": "Deployment", "name": "x"}, {"kind": "Service", "name": "x"}]},
            {"a": [{"kind": "Service", "name": "x", "v": 1}]},
            True,
            {"a": [{"kind": "Deployment", "name": "x"}, {"kind": "Service", "name": "x", "v": 1}]},
        ),
        (  # one volume mounted twice: names do not tell the items apart
            {"a": [{"name": "x", "path": "/1"}, {"name": "x", "path": "/2"}]},
            {"a": [{"name": "x", "path": "/3"}]},
            True,
            {"a": [{"name": "x", "path": "/3"}]},
        ),
        ({"a": [{"type": "Resource"}]}, {"a": [{"name": "x"}]}, True, {"a": [{"name": "x"}]}),
        ({"a": [1]}, {"a": []}, True, {"a": []}),
    ],
)
def test_merge(base: dict[str, Any], over: dict[str, Any], by_name: bool, expected: dict[str, Any]) -> None:
    before = json.dumps([base, over])
    merged = merge(base, over, by_name=by_name)
    assert merged == expected
    assert json.dumps([base, over]) == before


def test_a_merged_document_shares_nothing_with_its_layers() -> None:
    base = {"a": {"b": [1]}}
    merge(base, {})["a"]["b"].append(2)
    assert base == {"a": {"b": [1]}}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: ${X}.1", "10.20.1"),
        ("a: '${X}'", "10.20"),
        ("a: ${X}", 10.2),  # not quoted: read as YAML reads 10.20
        ("a: ${N}", 3),
        ('a: "${N}"', "3"),
        ("a: ${X}${N}x", "10.203x"),
        ("a: $${X}", "${X}"),
        ("a: $(POD_IP) $X", "$(POD_IP) $X"),
        ("a: ${EVIL}", "b: [1]\n- c"),  # a value never becomes structure
        ("a: 2026-01-01", "2026-01-01"),
    ],
)
def test_variables_are_filled_in(tmp_path: Path, text: str, expected: object) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(text)
    document = read_document(file, "a.yaml", {"X": "10.20", "N": "3", "EVIL": "b: [1]\n- c"})
    assert document.data == {"a": expected}
    assert document.problems == ()


@pytest.mark.parametrize("value", ["1.31.1", "1e3", "0x1F", "y", "true", "null", "500m", "%", "a: b", "", "~", "1:30"])
def test_text_written_is_text_when_read_again(value: str) -> None:
    text = to_yaml({"a": value})
    assert yaml.safe_load(text) == {"a": value}
    if re.fullmatch("[0-9.ex]+", value):
        assert f'"{value}"' in text  # YAML 1.2 readers take 1e3 for a number, unlike PyYAML


def test_lists_of_an_environment_replace_and_maps_merge(root: Path) -> None:
    (root / "qa/environment.yaml").write_text(QA + "applicationNamespaces: [claims]\nistio: {version: 1.30.2}\n")
    env = load_environment("qa", root, VARIABLES)
    assert env.application_namespaces == ("claims",)
    assert env.istio.version == Version(1, 30, 2)
    assert env.istio.hub == "dtr.metlife.com/istio"


def test_the_digest_is_of_the_meaning_not_of_the_text(root: Path) -> None:
    before = load_environment("qa", root, VARIABLES).digest()
    reordered = "\n".join(["# a comment", *reversed(OPERATOR.splitlines()[:2]), *OPERATOR.splitlines()[2:]])
    (root / "base/istiooperator.yaml").write_text(reordered)
    (root / "qa/environment.yaml").write_text(QA + "restarts: {timeout: 90s}\n")
    assert load_environment("qa", root, VARIABLES).digest() == before
    assert load_environment("qa", root, {"SOHISTIO_IP_PREFIX": "10.21"}).digest() != before
    (root / "qa/istiooperator.yaml").write_text("spec: {meshConfig: {accessLogFile: /dev/stdout}}\n")
    assert load_environment("qa", root, VARIABLES).digest() != before


def test_the_operator_of_an_environment_has_its_version_or_the_one_asked_for(root: Path) -> None:
    env = load_environment("qa", root, VARIABLES)
    assert env.operator_for()["spec"]["tag"] == "1.31.1"
    assert env.operator_for(Version(1, 30, 2))["spec"]["tag"] == "1.30.2"


def test_what_a_standby_declares_for_sync(root: Path) -> None:
    shutil.copytree(root / "qa", root / "dr")
    excluded = "[{kind: Secret}, {namespace: tmp-*}, {kind: Virtual*, name: '[!a-c]?'}]"
    declared = f"sync: {{substitutions: [{{from: a.com, to: b.com}}], exclude: {excluded}}}"
    (root / "dr/environment.yaml").write_text(f"{QA.replace('name: qa', 'name: dr')}standbyOf: qa\n{declared}\n")
    rules = load_environment("dr", root, VARIABLES).sync_rules
    assert rules == SyncRules(
        (Substitution("a.com", "b.com"),),
        (Exclusion(kind="Secret"), Exclusion(namespace="tmp-*"), Exclusion(kind="Virtual*", name="[!a-c]?")),
    )
    assert load_environment("qa", root, VARIABLES).sync_rules == SyncRules()
