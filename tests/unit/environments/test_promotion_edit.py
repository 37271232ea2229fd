"""What promoting brings into an environment's file: tables of keys, and what is left alone."""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest

from environment_folder import QA, VARIABLES, environment_folder
from sohistio.environments.load import load_environment, promotion_chain
from sohistio.environments.promotion_edit import PromotionEdit, promotion_edit
from sohistio.environments.promotion_keys import PROMOTED, has, is_promoted, leaves, own_part
from sohistio.errors import UsageError

PROD = QA.replace("qa", "prod").replace("20.188", "20.221") + "protected: true\npromotesFrom: qa # after a week\n"


def edit_of(folder: Path, *, qa: str = "", prod: str = "", base: str = "") -> PromotionEdit:
    root = folder_of(folder, qa=qa, prod=prod, base=base)
    return promotion_edit("qa", "prod", root, VARIABLES)


def folder_of(folder: Path, *, qa: str = "", prod: str = "", base: str = "") -> Path:
    root = environment_folder(folder, qa=qa, base=base)
    (root / "prod").mkdir()
    (root / "prod/environment.yaml").write_text(PROD + prod)
    return root


def diff_of(edit: PromotionEdit) -> list[str]:
    lines = difflib.ndiff(edit.before.splitlines(), edit.after.splitlines())
    return [f"{line[0]}{line[2:]}" for line in lines if line[0] in "+-"]


@pytest.mark.parametrize(
    ("qa", "prod", "diff"),
    [
        ("", "", []),
        ("istio: {version: 1.32.0}\n", "", ["+istio:", "+  version: 1.32.0"]),
        (
            "istio: {version: 1.32.0}\n",
            "istio:\n  version: 1.31.0 # CHG-7\n",
            ["-  version: 1.31.0 # CHG-7", "+  version: 1.32.0 # CHG-7"],
        ),
        ("istio: {version: 1.32.0}\n", "istio: {version: 1.32.0}\n", []),
        (
            "istio: {version: 1.32.0}\n",
            "istio:\n  version: 1.31.0\n  pullSecret: null\n  pullSecretSource: ~ # none\n",
            ["-  version: 1.31.0", "+  version: 1.32.0"],
        ),
        # qa has it from base, prod has an older one of its own.
        ("", "istio: {version: 1.30.5}\n", ["-istio: {version: 1.30.5}", "+istio: {version: 1.31.1}"]),
        (
            "istio: {version: 1.32.0, hub: other.example.com/istio, pinDigests: true}\n",
            "istio: {hub: prod.example.com/istio}\n",
            [
                "-istio: {hub: prod.example.com/istio}",
                "+istio: {hub: prod.example.com/istio, version: 1.32.0, pinDigests: true}",
            ],
        ),
        ("timeouts: {total: 1h}\napplicationNamespaces: [web]\nprotected: true\n", "", []),
        ("policy: {stage: audit}\n", "policy:\n  stage: enforce\n", ["-  stage: enforce", "+  stage: audit"]),
        ("policy: {mtls: {}}\n", "", ["+policy:", "+  mtls: {}"]),
        ("policy: {mtls: {}}\n", "policy: {mtls: {permissive: [old]}}\n", []),
        (
            "policy: {egress: {mode: allowAny, hosts: [{host: a.qa.example.com, namespaces: [shop]}]}}\n",
            "",
            ["+policy:", "+  egress:", "+    mode: allowAny"],
        ),
    ],
)
def test_what_changes(tmp_path: Path, qa: str, prod: str, diff: list[str]) -> None:
    edit = edit_of(tmp_path, qa=qa, prod=prod)
    assert diff_of(edit) == diff
    assert edit.changes is bool(diff)
    assert edit.proposed.ingress_address == "10.20.20.221"
    assert edit.proposed.istio.version == edit.source.istio.version


def test_what_differs_and_stays_is_named(tmp_path: Path) -> None:
    qa = "istio: {hub: qa.example.com/istio}\npolicy: {mtls: {permissive: [old]}, egress: {hosts: []}}\n"
    edit = edit_of(tmp_path, qa=qa, prod="policy: {telemetry: {accessLog: json}}\nrestarts: {parallel: 1}\n")
    assert edit.not_promoted == (
        "ingressAddress",
        "cluster",
        "istio.hub",
        "policy.mtls.permissive",
        "policy.egress.hosts",
        "protected",
        "restarts",
    )
    assert edit.only_here == ("policy.telemetry.accessLog",)


def test_what_the_target_switched_off_stays_off(tmp_path: Path) -> None:
    base = "policy: {egress: {hosts: [{host: a.example.com, namespaces: [shop]}]}}\n"
    edit = edit_of(tmp_path, base=base, qa="policy: {stage: audit}\n", prod="policy:\n")
    assert not edit.changes
    assert "policy.stage" in edit.not_promoted
    assert edit.target.policy is None


def test_a_variable_is_promoted_as_it_is_written(tmp_path: Path) -> None:
    qa = "policy: {telemetry: {tracing: {service: 'jaeger.${SOHISTIO_NAMESPACE}'}}}\n"
    root = folder_of(tmp_path, qa=qa)
    found = promotion_edit("qa", "prod", root, VARIABLES | {"SOHISTIO_NAMESPACE": "observability"})
    assert "service: jaeger.${SOHISTIO_NAMESPACE}" in found.after


def test_a_file_that_cannot_be_edited_says_what_it_should_have(tmp_path: Path) -> None:
    qa = "policy: {workloads: [{namespace: shop, allow: [{namespaces: [web]}]}]}\n"
    prod = "policy:\n  workloads:\n    - namespace: billing # theirs\n      allow: [{namespaces: [web]}]\n"
    with pytest.raises(UsageError, match="cannot be edited: a comment would be lost: # theirs") as caught:
        edit_of(tmp_path, qa=qa, prod=prod)
    assert caught.value.details[:3] == ("policy:", "  workloads:", "  - namespace: shop")


def test_a_result_that_is_not_valid_is_refused(tmp_path: Path) -> None:
    qa = "policy: {mtls: {mode: permissive}}\n"
    with pytest.raises(UsageError, match="would not be valid") as caught:
        edit_of(tmp_path, qa=qa, prod="policy: {mtls: {permissive: [old]}}\n")
    assert "expected mode strict beside permissive" in caught.value.details[0]


@pytest.mark.parametrize(
    ("prod", "problem"),
    [
        ("promotesFrom: stage\n", "expected the name of another environment (qa), got 'stage'"),
        ("promotesFrom: prod\n", "expected the name of another environment (qa), got 'prod'"),
        ("promotesFrom: [qa]\n", "expected text, got a list"),
        ("standbyOf: qa\npromotesFrom: qa\n", "expected no promotesFrom beside standbyOf"),
    ],
)
def test_a_chain_that_is_none(tmp_path: Path, prod: str, problem: str) -> None:
    root = folder_of(tmp_path)
    text = PROD.replace("promotesFrom: qa # after a week\n", prod)
    (root / "prod/environment.yaml").write_text(text)
    with pytest.raises(UsageError) as caught:
        load_environment("prod", root, VARIABLES)
    line = text.splitlines().index(next(line for line in text.splitlines() if "promotesFrom" in line)) + 1
    assert any(f":{line}: promotesFrom: {problem}" in detail for detail in caught.value.details)


def test_a_cycle_is_named_by_those_in_it_only(tmp_path: Path) -> None:
    root = folder_of(tmp_path, qa="promotesFrom: int\n")
    (root / "int").mkdir()
    (root / "int/environment.yaml").write_text(QA.replace("qa", "int") + "promotesFrom: qa\n")
    for name, cycle in (("qa", "qa → int → qa"), ("int", "int → qa → int")):
        with pytest.raises(UsageError) as caught:
            load_environment(name, root, VARIABLES)
        assert caught.value.details[0].endswith(f"promotesFrom: expected no cycle, got {cycle}")
    assert load_environment("prod", root, VARIABLES).promotes_from == "qa"
    assert promotion_chain("prod", root, VARIABLES) == ("qa", "int", "qa", "prod")


def test_a_standby_follows_what_it_stands_by_for(tmp_path: Path) -> None:
    root = folder_of(tmp_path)
    (root / "dr").mkdir()
    (root / "dr/environment.yaml").write_text("name: dr\nstandbyOf: prod\ncluster: {context: aks-dr}\n")
    assert promotion_chain("dr", root, VARIABLES) == ("qa", "prod", "dr")
    assert promotion_chain("qa", root, VARIABLES) == ("qa",)


def test_the_tables() -> None:
    content = {"a": {"b": 1, "c": []}, "d": {}, "e": None}
    assert dict(leaves(content)) == {("a", "b"): 1, ("a", "c"): [], ("d",): {}, ("e",): None}
    assert has(content, ("e",), None)
    assert not has(content, ("f",), None)
    assert has(content, ("a",), {})
    assert all(is_promoted(place) for place in PROMOTED)
    assert not is_promoted(("policy",))
    assert not is_promoted(("policy", "mtls", "permissive"))
    assert own_part(("cluster", "aks", "name")) == ("cluster",)
    assert own_part(("policy",)) == ("policy",)
