"""Environments: layers, variables, validation with file, line and key, and `sohistio env`."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from typer.testing import CliRunner

from environment_folder import OPERATOR
from sohistio.commands.env import group_for
from sohistio.environments.aks import Aks
from sohistio.environments.layers import merge
from sohistio.environments.load import (
    environment_names,
    find_environments_root,
    layer_schema,
    load_environment,
    summary_of,
)
from sohistio.environments.yaml_files import read_document, to_yaml
from sohistio.errors import ExitCode, UsageError
from sohistio.model.managed_cluster import AksPlace, AzureCloud
from sohistio.model.sync import Exclusion, Substitution, SyncRules
from sohistio.model.versions import Version

SHIPPED = Path(__file__).parents[3] / "environments"
PREFIX = {"SOHISTIO_IP_PREFIX": "10.20"}
SHIPPED_VARIABLES = PREFIX | {"SOHISTIO_SUBSCRIPTION": "the-subscription"}

BASE = """\
istio:
  version: 1.31.1
  hub: dtr.metlife.com/istio
  pullSecret: jfrogauth
protected: false
applicationNamespaces: [claims, billing]
timeouts:
  component: 5m
  total: 20m
restarts:
  parallel: 5
  maxFailures: 2
  timeout: 90s
"""
QA = """\
name: qa
ingressAddress: ${SOHISTIO_IP_PREFIX}.20.188
cluster:
  context: aks-qa
  nodes: {min: 5, max: 10, size: Standard_D8s_v3}
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small folder of environments, `base` and `qa`, below the working directory."""
    folder = tmp_path / "environments"
    for name, file, text in (
        ("base", "environment.yaml", BASE),
        ("base", "istiooperator.yaml", OPERATOR),
        ("qa", "environment.yaml", QA),
    ):
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / file).write_text(text)
    monkeypatch.chdir(tmp_path)
    return folder


def details(root: Path, variables: Mapping[str, str] = PREFIX) -> tuple[str, ...]:
    with pytest.raises(UsageError) as caught:
        load_environment("qa", root, variables)
    assert caught.value.what == "The environment qa is not valid"
    assert caught.value.exit_code == ExitCode.USAGE
    return caught.value.details


# --- the environments that sohistio comes with ---------------------------------------------------------------------

ARCHITECTURE: Mapping[str, dict[str, Any]] = {
    "dev": {"address": "10.20.147.60", "nodes": (3, 5, "Standard_D4s_v3"), "protected": False, "standby_of": None},
    "int": {"address": "10.20.151.28", "nodes": (3, 5, "Standard_D4s_v3"), "protected": False, "standby_of": None},
    "qa": {"address": "10.20.20.188", "nodes": (5, 10, "Standard_D8s_v3"), "protected": False, "standby_of": None},
    "prod": {"address": "10.20.20.221", "nodes": (10, 20, "Standard_D16s_v3"), "protected": True, "standby_of": None},
    "dr": {"address": None, "nodes": (10, 20, "Standard_D16s_v3"), "protected": True, "standby_of": "prod"},
    "local": {"address": "127.147.0.10", "nodes": None, "protected": False, "standby_of": None},
}


def test_the_shipped_environments_are_those_of_the_architecture() -> None:
    assert environment_names(SHIPPED) == sorted(ARCHITECTURE)


@pytest.mark.parametrize("name", ARCHITECTURE)
def test_a_shipped_environment_has_the_architectures_figures(name: str) -> None:
    expected = ARCHITECTURE[name]
    env = load_environment(name, SHIPPED, SHIPPED_VARIABLES)
    nodes, aks = env.cluster.nodes, env.cluster.aks
    if aks is None:
        assert env.cluster.sandbox == name
    else:
        assert aks.place() == AksPlace("the-subscription", f"rg-aks-{name}", f"aks-{name}")
    assert env.name == name
    assert env.ingress_address == expected["address"]
    assert (nodes and (nodes.min, nodes.max, nodes.size)) == expected["nodes"]
    assert env.protected is expected["protected"]
    assert env.standby_of == expected["standby_of"]
    assert env.is_standby is (name == "dr")
    assert env.istio.version == Version(1, 31, 1)
    assert (env.istio.hub, env.istio.pull_secret) == (
        ("docker.io/istio", None) if name == "local" else ("dtr.metlife.com/istio", "jfrogauth")
    )
    assert (env.timeouts.component_seconds, env.timeouts.total_seconds) == (300, 1200)
    assert [(item.name, item.namespace, item.kind) for item in env.gateways] == [
        ("istio-ingressgateway", "istio-system", "ingress"),
        ("istio-egressgateway", "istio-system", "egress"),
    ]


def test_an_aks_cluster_in_a_cloud_of_its_own() -> None:
    cloud = {"authority": "login.example.com", "resourceManager": "https://arm.example.com", "instanceDiscovery": False}
    named = Aks.model_validate({"subscription": "s", "resourceGroup": "g", "name": "n", "tenant": "t", "cloud": cloud})
    expected = AzureCloud("login.example.com", "https://arm.example.com", instance_discovery=False)
    assert named.place() == AksPlace("s", "g", "n", "t", expected)


def test_the_shipped_schema_is_the_models() -> None:
    assert json.loads((SHIPPED / "environment.schema.json").read_text()) == layer_schema()


def test_the_schema_accepts_the_shipped_files_and_refuses_a_misspelt_key() -> None:
    validator = jsonschema.Draft202012Validator(layer_schema())
    validator.check_schema(layer_schema())
    for file in SHIPPED.glob("*/environment.yaml"):
        assert file.read_text().startswith("# yaml-language-server: $schema=../environment.schema.json\n")
        validator.validate(yaml.safe_load(file.read_text()))
    for wrong in ({"protcted": True}, {"applicationNamespaces": ["kube-system"]}, {"timeouts": {"total": 90}}):
        assert not validator.is_valid(wrong)


# --- layers and variables ------------------------------------------------------------------------------------------


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
    (root / "qa/environment.yaml").write_text(QA + "applicationNamespaces: [shop]\nistio: {version: 1.30.2}\n")
    env = load_environment("qa", root, PREFIX)
    assert env.application_namespaces == ("shop",)
    assert env.istio.version == Version(1, 30, 2)
    assert env.istio.hub == "dtr.metlife.com/istio"


def test_the_digest_is_of_the_meaning_not_of_the_text(root: Path) -> None:
    before = load_environment("qa", root, PREFIX).digest()
    reordered = "\n".join(["# a comment", *reversed(OPERATOR.splitlines()[:2]), *OPERATOR.splitlines()[2:]])
    (root / "base/istiooperator.yaml").write_text(reordered)
    (root / "qa/environment.yaml").write_text(QA + "restarts: {timeout: 90s}\n")
    assert load_environment("qa", root, PREFIX).digest() == before
    assert load_environment("qa", root, {"SOHISTIO_IP_PREFIX": "10.21"}).digest() != before
    (root / "qa/istiooperator.yaml").write_text("spec: {meshConfig: {accessLogFile: /dev/stdout}}\n")
    assert load_environment("qa", root, PREFIX).digest() != before


# --- bad input: golden messages ------------------------------------------------------------------------------------

QA_FILE = "environments/qa/environment.yaml"

BAD_ENVIRONMENTS = [
    ("protcted: true", "6: protcted: unknown key; did you mean protected?"),
    ("istio: {hubb: x}", "6: istio.hubb: unknown key; did you mean hub?"),
    ("istio: {Hub: x}", "6: istio.Hub: unknown key; did you mean hub?"),
    ("restarts: {zzz: 1}", "6: restarts.zzz: unknown key; known keys: alsoInjected, awaitJobs, freezes, maxFailures, "
     "optOut, order, parallel, proxiesPerSecond, timeout, windows"),
    ("restarts: {windows: [Sat 02:00-04:00]}",
     "6: restarts.windows[0]: expected a window such as `Sat-Sun 02:00-04:00 Europe/Berlin` or "
     "`daily 22:00-02:00 UTC`, got 'Sat 02:00-04:00'"),
    ("restarts: {windows: Sat 02:00-04:00 UTC}", "6: restarts.windows: expected a list, got 'Sat 02:00-04:00 UTC'"),
    ("restarts: {windows: [Sat 02:00-04:00 Berlin]}",
     "6: restarts.windows[0]: expected a time zone such as Europe/Berlin or UTC, there is no Berlin, "
     "got 'Sat 02:00-04:00 Berlin'"),
    ("restarts:\n  freezes:\n    - {dates: 2026-12-24, reason: Christmas}",
     "8: restarts.freezes[0].dates: expected days and their time zone such as `2026-12-20..2027-01-06 Europe/Berlin` "
     "or `2026-12-24 UTC`, got '2026-12-24'"),
    ("restarts: {freezes: [{dates: 2026-12-24 UTC}]}", "6: restarts.freezes[0].reason: is missing; freezes needs it"),
    ("restarts: {optOut: [{name: Billing, reason: x}]}",
     "6: restarts.optOut[0].name: expected a namespace, or a workload as namespace/name, got 'Billing'"),
    ("restarts: {order: {canary: [shop/web/1]}}",
     "6: restarts.order.canary[0]: expected a namespace, or a workload as namespace/name, got 'shop/web/1'"),
    ("restarts: {order: {namespaces: [shop, shop]}}",
     "6: restarts.order.namespaces: expected each name once, shop is given twice"),
    ("restarts: {alsoInjected: maybe}", "6: restarts.alsoInjected: expected true or false, got 'maybe'"),
    ("operator: {}", "6: operator: unknown key; known keys: applicationNamespaces, audit, cluster, description, "
     "failover, gateways, images, ingressAddress, istio, monitoring, name, notify, policy, promotesFrom, protected, "
     "restarts, standbyOf, sync, timeouts"),
    ("audit: {reasonRequired: 'yes'}", "6: audit.reasonRequired: expected true or false, got 'yes'"),
    ("audit: {reason: true}", "6: audit.reason: unknown key; did you mean reasonRequired?"),
    ("notify: {format: teams}", "6: notify.webhook: is missing; notify needs it"),
    ("notify: {webhook: SOHISTIO_NOTIFY_URL, format: slack}", "6: notify.format: expected 'teams' or 'json', "
     "got 'slack'"),
    ("notify: {webhook: 'https://hooks.example.com/?sig=s3cret'}", "6: notify: expected webhook to name a variable "
     "that holds the URL, such as SOHISTIO_NOTIFY_URL"),
    ("protected: 'yes'", "6: protected: expected true or false, got 'yes'"),
    ("restarts:\n  parallel: three", "7: restarts.parallel: expected a whole number, got 'three'"),
    ("restarts:\n  parallel: 0", "7: restarts.parallel: expected at least 1, got 0"),
    ("restarts:\n  proxiesPerSecond: 0", "7: restarts.proxiesPerSecond: expected at least 1, got 0"),
    ("restarts:\n  awaitJobs: soon", "7: restarts.awaitJobs: expected a duration such as 90s, 5m, 1h or 30d, "
     "got 'soon'"),
    ("restarts: 5", "6: restarts: expected keys and values, got 5"),
    ("timeouts: {total: 90}", "6: timeouts.total: expected a duration such as 90s, 5m, 1h or 30d, got 90"),
    ("timeouts: {total: 1 hour}", "6: timeouts.total: expected a duration such as 90s, 5m, 1h or 30d, got '1 hour'"),
    ('timeouts: {total: "5m\\n"}', "6: timeouts.total: expected a duration such as 90s, 5m, 1h or 30d, got '5m\\n'"),
    ("timeouts: {component: 1h}", "6: timeouts: expected component to be at most total"),
    ("istio: {version: 1.31}", "6: istio.version: expected a full release number such as 1.31.1, got 1.31"),
    ("istio: {version: latest}", "6: istio.version: expected a full release number such as 1.31.1, got 'latest'"),
    ("istio: {hub: 'https://dtr.metlife.com/istio'}", "6: istio.hub: expected a registry path such as "
     "dtr.metlife.com/istio, in lower case, without https://, got 'https://dtr.metlife.com/istio'"),
    ("images: {source: 'https://docker.io/istio'}", "6: images.source: expected a registry path such as "
     "dtr.metlife.com/istio, in lower case, without https://, got 'https://docker.io/istio'"),
    ("images: {sources: docker.io/istio}", "6: images.sources: unknown key; did you mean source?"),
    ("istio: {pinDigests: 'on'}", "6: istio.pinDigests: expected true or false, got 'on'"),
    ("istio: {pullSecret: My Secret}", "6: istio.pullSecret: expected a name of lower case letters, digits and "
     "dashes, got 'My Secret'"),
    ("applicationNamespaces: shop", "6: applicationNamespaces: expected a list, got 'shop'"),
    ("applicationNamespaces:\n  - shop\n  - 7", "8: applicationNamespaces[1]: expected text, got 7"),
    ("applicationNamespaces:\n  - kube-system", "7: applicationNamespaces[0]: is a system namespace, which never has "
     "sidecars; expected a namespace of applications, got 'kube-system'"),
    ("applicationNamespaces: [shop, shop]",
     "6: applicationNamespaces: expected each name once, shop is given twice"),
    ("standbyOf: prd", "6: standbyOf: expected the name of another environment (there is none), got 'prd'"),
    ("standbyOf: qa", "6: standbyOf: expected the name of another environment (there is none), got 'qa'"),
    ("promotesFrom: prd", "6: promotesFrom: expected the name of another environment (there is none), got 'prd'"),
    ("failover: {}", "6: failover.dns: is missing; failover needs it"),
    ("failover: {dns: {recrod: x, record: app.a.com, zone: a.com, servers: [10.0.0.4], manual: {instructions: x}}}",
     "6: failover.dns.recrod: unknown key; did you mean record?"),
    ("failover:\n  dns: {record: app.a.com, zone: a.com, servers: [10.0.0.4], manual: {instructions: x}}\n"
     "  probes:\n    - url: https://app.a.com/\n    - {url: 'https://app.a.com/', uri: x}",
     "10: failover.probes[1].uri: unknown key; did you mean url?"),
    ("failover: {before: ./hook.sh}", "6: failover.before: expected keys and values, got './hook.sh'"),
    ("sync: {substitutions: [{form: a, to: b}]}", "6: sync.substitutions[0].form: unknown key; did you mean from?"),
    ("sync: {substitutions: [{from: a, to: b}, {from: a, to: c}]}",
     "6: sync.substitutions: expected each text once, a is given twice"),
    ("sync: {exclude: [{}]}", "6: sync.exclude[0]: expected at least one of kind, namespace and name"),
    ("sync: {exclude: [{kinds: Secret}]}", "6: sync.exclude[0].kinds: unknown key; did you mean kind?"),
    ("sync: {exclude: [{kind: VirtualServise}]}", "6: sync.exclude[0].kind: is no kind that sync compares; did you "
     "mean VirtualService?, got 'VirtualServise'"),
    ("sync: {exclude: [{kind: virtualservices}]}", "6: sync.exclude[0].kind: is no kind that sync compares; did you "
     "mean VirtualService?, got 'virtualservices'"),
    ("sync: {exclude: [{kind: VirtualService.networking.istio.io}]}", "6: sync.exclude[0].kind: is no kind that sync "
     "compares; did you mean VirtualService?, got 'VirtualService.networking.istio.io'"),
    *(
        (f"sync: {{exclude: [{{{key}: {value}}}]}}", f"6: sync.exclude[0].{key}: expected a name, or a pattern with "
         f"*, ? or [abc] such as payments-*, in lower case, got '{value.strip(chr(34))}'")
        for key, value in (("name", '"[a-"'), ("namespace", '"[]"'), ("name", '" "'), ("name", '"[z-a]"'),
                           ("namespace", "Shop"))
    ),
    *(
        (f"sync: {{substitutions: [{{from: {text}, to: b}}]}}", "6: sync.substitutions[0].from: expected a text such "
         f"as prod.example.com, without blanks around it, in one line, got {said}")
        for text, said in (('" "', "' '"), ('"."', "'.'"), ('"a\\nb"', "'a\\nb'"), ('"\\e[1ma"', "'\\x1b[1ma'"))
    ),
    ("sync: {substitutions: [{from: a, to: a}]}",
     "6: sync.substitutions[0]: expected two different texts, both are a"),
    ("name: uat", "6: name: is given twice, first in line 1"),
    ("? [a, b]\n: c", "6: the key … is not text (put it in quotes)"),
    ("on: true", "6: the key on is not text (put it in quotes)"),
    ("restarts: &r {parallel: 2}\ntimeouts: *r", "7: timeouts: an alias (*name) is not accepted here; write the value "
     "again"),
    ("description: !!binary aGk=", "6: description: the tag tag:yaml.org,2002:binary is not accepted here"),
    ("protected: !!bool maybe", "6: protected: 'maybe' is not a value of the tag bool"),
    ("restarts: {parallel: !!int ''}", "6: restarts.parallel: '' is not a value of the tag int"),
    ("description: ${not-a-name}", "6: description: ${not-a-name} is not a variable; expected ${NAME}"),
    ("description: ${UNSET_HERE}", "6: description: the variable UNSET_HERE is not set"),
    ("description: [", "7: is not valid YAML: expected the node content, but found '<stream end>'"),
    ("description: a: b", "6: is not valid YAML: mapping values are not allowed here"),
    ("\tx: 1", "6: is not valid YAML: found character '\\t' that cannot start any token"),
]  # fmt: skip


@pytest.mark.parametrize(("added", "expected"), BAD_ENVIRONMENTS, ids=[added for added, _ in BAD_ENVIRONMENTS])
def test_a_bad_environment_is_one_line_with_file_line_and_key(root: Path, added: str, expected: str) -> None:
    (root / "qa/environment.yaml").write_text(f"{QA}{added}\n")
    assert details(root)[0] == f"{QA_FILE}:{expected}"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("name: qa", "name: uat", ":1: name: expected qa, the name of the folder, got 'uat'"),
        ("name: qa\n", "", ": name: is missing; every environment needs it, here or in base/environment.yaml"),
        ("ingressAddress: ${SOHISTIO_IP_PREFIX}.20.188\n", "", ": expected ingressAddress (only an environment with "
         "standbyOf may lack it)"),
        (".20.188", ".20", ":2: ingressAddress: expected an IPv4 address such as 10.20.147.60, got '10.20.20'"),
        ("  context: aks-qa\n", "", ":3: cluster: expected one of aks, context and sandbox"),
        ("context: aks-qa", "context: ''", ":4: cluster.context: expected text, got ''"),
        ("context: aks-qa", "context: aks-qa\n  sandbox: local",
         ":3: cluster: expected one of aks, context and sandbox"),
        ("min: 5", "min: 50", ":5: cluster.nodes: expected min at most max, got 50 and 10"),
        (QA, "", ": is empty"),
        (QA, "- a\n", ":1: must hold keys and values, such as `name: qa`"),
        (QA, "[" * 5000, ":1: is nested too deeply, over 100 levels"),
    ],
)  # fmt: skip
def test_a_bad_environment_names_what_is_missing(root: Path, old: str, new: str, expected: str) -> None:
    (root / "qa/environment.yaml").write_text(QA.replace(old, new))
    assert details(root) == (f"{QA_FILE}{expected}",)


def test_an_unset_variable_names_file_line_key_and_variable(root: Path) -> None:
    with pytest.raises(UsageError) as caught:
        load_environment("qa", root, {"SOHISTIO_IP_PREFIX": ""})
    assert caught.value.details == (f"{QA_FILE}:2: ingressAddress: the variable SOHISTIO_IP_PREFIX is not set",)
    assert caught.value.todo == "Set the variable, for example: export SOHISTIO_IP_PREFIX=<value>"
    (root / "qa/environment.yaml").write_text(QA.replace("aks-qa", "aks-${REGION}-${SOHISTIO_IP_PREFIX}"))
    with pytest.raises(UsageError) as caught:
        load_environment("qa", root, {})
    assert caught.value.todo == (
        "Set the variable, for example: export SOHISTIO_IP_PREFIX=<value>; export REGION=<value>"
    )


def test_a_name_that_azure_devops_left_is_no_value(root: Path) -> None:
    assert details(root, {"SOHISTIO_IP_PREFIX": " $(ipPrefix) "}) == (
        f"{QA_FILE}:2: ingressAddress: the variable SOHISTIO_IP_PREFIX is not set: "
        "Azure DevOps has no value for $(ipPrefix) and left it there",
    )


def test_all_problems_of_all_layers_are_named_at_once(root: Path) -> None:
    (root / "base/environment.yaml").write_text(BASE.replace("maxFailures", "maxFailure"))
    (root / "qa/environment.yaml").write_text(QA + "protcted: true\n")
    (root / "qa/istiooperator.yaml").write_text("spec: {profil: default}\n")
    assert details(root, {}) == (
        "environments/base/environment.yaml:10: restarts.maxFailures: is missing; every environment needs it, "
        "here or in base/environment.yaml",
        "environments/base/environment.yaml:12: restarts.maxFailure: unknown key; did you mean maxFailures?",
        "environments/qa/environment.yaml:2: ingressAddress: the variable SOHISTIO_IP_PREFIX is not set",
        "environments/qa/environment.yaml:6: protcted: unknown key; did you mean protected?",
        "environments/qa/istiooperator.yaml:1: spec.profil: unknown key; did you mean profile?",
    )


def test_a_file_that_would_never_be_read_is_named(root: Path) -> None:
    (root / "qa/istio-operator.yaml").write_text("spec: {}\n")
    assert details(root) == (
        "environments/qa/istio-operator.yaml: is never read; expected environment.yaml or istiooperator.yaml",
    )


def test_files_that_cannot_be_read(root: Path) -> None:
    (root / "qa/environment.yaml").write_bytes(b"name: \xff\n")
    assert details(root) == (f"{QA_FILE}: is not UTF-8 text",)
    (root / "qa/environment.yaml").write_text(QA)
    (root / "base/istiooperator.yaml").unlink()
    assert details(root) == ("environments/base/istiooperator.yaml: cannot be read: No such file or directory",)


@pytest.mark.parametrize("name", ["uat", "base", "../qa", "", "/etc"])
def test_an_unknown_environment_names_the_known_ones(root: Path, name: str) -> None:
    with pytest.raises(UsageError) as caught:
        load_environment(name, root, PREFIX)
    assert caught.value.what == f"There is no environment named {name!r}"
    assert caught.value.todo == "Known environments in environments: qa."


# --- finding the folder --------------------------------------------------------------------------------------------


def test_the_folder_is_found_here_or_further_up_or_comes_with_sohistio(root: Path, tmp_path: Path) -> None:
    below = root.parent / "a" / "b"
    below.mkdir(parents=True)
    assert find_environments_root(None, root.parent) == root
    assert find_environments_root(None, below) == root
    assert find_environments_root(root, Path("/")) == root
    assert environment_names(find_environments_root(None, Path("/"))) == sorted(ARCHITECTURE)
    with pytest.raises(UsageError, match="is not a folder of environments"):
        find_environments_root(tmp_path / "nowhere", root.parent)


# --- the command line ----------------------------------------------------------------------------------------------


def run(*args: str, **variables: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(group_for(), args, env={"SOHISTIO_IP_PREFIX": None, **variables})
    if isinstance(result.exception, UsageError):
        return result.exception.exit_code, result.stdout, "\n".join((result.exception.what, *result.exception.details))
    assert result.exception is None
    return result.exit_code, result.stdout, result.stderr


def test_env_list_works_without_the_variable(root: Path) -> None:
    assert run("list") == (
        0,
        "NAME  VERSION  ADDRESS                       GATEWAYS  CLUSTER  PROTECTED\n"
        "qa    1.31.1   ${SOHISTIO_IP_PREFIX}.20.188  on        aks-qa   no\n"
        "\nFrom the folder environments.\nNot valid as they are: qa. `sohistio env validate` says why.\n",
        "",
    )
    assert run("list", SOHISTIO_IP_PREFIX="10.20")[1].splitlines()[1:] == [
        "qa    1.31.1   10.20.20.188  on        aks-qa   no",
        "",
        "From the folder environments.",
    ]
    document = json.loads(run("list", "--output", "json", "--environments", str(root))[1])
    problem = f"{QA_FILE}:2: ingressAddress: the variable SOHISTIO_IP_PREFIX is not set"
    assert document == {
        "schemaVersion": "1",
        "kind": "EnvironmentList",
        "folder": str(root),
        "environments": [
            {
                "name": "qa",
                "version": "1.31.1",
                "ingressAddress": "${SOHISTIO_IP_PREFIX}.20.188",
                "gateways": "on",
                "cluster": "aks-qa",
                "protected": False,
                "problems": [problem],
            }
        ],
    }


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("environment.yaml", "["),
        ("environment.yaml", "istio: 3\ncluster: []\nprotected: [x]\nname: {}\nstandbyOf: []\n"),
        ("istiooperator.yaml", "spec: {components: {ingressGateways: 3}}"),
        ("istiooperator.yaml", "spec: {components: {ingressGateways: [{enabled: true}]}}"),
        ("istiooperator.yaml", "spec: 3"),
    ],
)
def test_a_broken_environment_still_has_a_summary(root: Path, file: str, text: str) -> None:
    (root / "qa" / file).write_text(text)
    assert summary_of("qa", root, PREFIX).problems


def test_env_list_of_a_standby(root: Path) -> None:
    (root / "dr").mkdir()
    (root / "dr/environment.yaml").write_text("name: dr\nstandbyOf: qa\ncluster: {sandbox: two}\nprotected: true\n")
    assert "dr    1.31.1   -             off       sandbox two  yes\n" in run("list", SOHISTIO_IP_PREFIX="10.20")[1]


def test_env_show_prints_an_environment_that_is_valid_again(root: Path) -> None:
    code, text, _ = run("show", "qa", SOHISTIO_IP_PREFIX="10.20")
    assert code == 0
    before = load_environment("qa", root, PREFIX)
    (root / "qa/environment.yaml").write_text(text)
    (root / "base/environment.yaml").write_text("# nothing is left to share\ndescription: ''\n")
    assert load_environment("qa", root, {}) == before
    document = json.loads(run("show", "qa", "--output", "json", SOHISTIO_IP_PREFIX="10.20")[1])
    assert document["schemaVersion"] == "1"
    assert document["environment"] == yaml.safe_load(text)
    assert document["digest"] == before.digest()
    assert document["gateways"][0] == {"name": "istio-ingressgateway", "namespace": "istio-system", "kind": "ingress"}


def test_env_validate_has_a_line_each_and_all_errors(root: Path) -> None:
    (root / "int").mkdir()
    (root / "int/environment.yaml").write_text(QA.replace("qa", "int") + "protcted: true\nrestarts: {parallel: 0}\n")
    assert run("validate", SOHISTIO_IP_PREFIX="10.20") == (
        2,
        "int  not valid: 2 problems\nqa   valid\n",
        "1 of 2 environments is not valid\n"
        "environments/int/environment.yaml:6: protcted: unknown key; did you mean protected?\n"
        "environments/int/environment.yaml:7: restarts.parallel: expected at least 1, got 0",
    )
    assert run("validate", "qa", SOHISTIO_IP_PREFIX="10.20") == (0, "qa  valid\n", "")
    assert run("validate", "qa")[:2] == (2, "qa  not valid: 1 problem\n")
    assert run("validate", "uat")[2] == "There is no environment named 'uat'"


def test_env_schema_prints_the_schema() -> None:
    assert json.loads(run("schema")[1]) == layer_schema()


def test_the_command_line_loads_no_heavy_package() -> None:
    code = (
        "import sys, sohistio.commands.env; print([m for m in ('pydantic', 'yaml', 'kubernetes') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "[]\n"


def test_the_operator_of_an_environment_has_its_version_or_the_one_asked_for(root: Path) -> None:
    env = load_environment("qa", root, PREFIX)
    assert env.operator_for()["spec"]["tag"] == "1.31.1"
    assert env.operator_for(Version(1, 30, 2))["spec"]["tag"] == "1.30.2"


def test_what_a_standby_declares_for_sync(root: Path) -> None:
    shutil.copytree(root / "qa", root / "dr")
    excluded = "[{kind: Secret}, {namespace: tmp-*}, {kind: Virtual*, name: '[!a-c]?'}]"
    declared = f"sync: {{substitutions: [{{from: a.com, to: b.com}}], exclude: {excluded}}}"
    (root / "dr/environment.yaml").write_text(f"{QA.replace('name: qa', 'name: dr')}standbyOf: qa\n{declared}\n")
    rules = load_environment("dr", root, PREFIX).sync_rules
    assert rules == SyncRules(
        (Substitution("a.com", "b.com"),),
        (Exclusion(kind="Secret"), Exclusion(namespace="tmp-*"), Exclusion(kind="Virtual*", name="[!a-c]?")),
    )
    assert load_environment("qa", root, PREFIX).sync_rules == SyncRules()
