"""Environments that are not valid: one line each, with file, line and key."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

import environment_folder
from environment_folder import VARIABLES
from sohistio.environments.load import load_environment
from sohistio.errors import ExitCode, UsageError

# The errors name lines: here a map has several.
BASE = f"""\
{environment_folder.BASE.partition("timeouts:")[0]}timeouts:
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
    """The usual folder below the working directory, with the texts above."""
    folder = environment_folder.environment_folder(tmp_path)
    (folder / "base/environment.yaml").write_text(BASE)
    (folder / "qa/environment.yaml").write_text(QA)
    monkeypatch.chdir(tmp_path)
    return folder


def details(root: Path, variables: Mapping[str, str] = VARIABLES) -> tuple[str, ...]:
    with pytest.raises(UsageError) as caught:
        load_environment("qa", root, variables)
    assert caught.value.what == "The environment qa is not valid"
    assert caught.value.exit_code == ExitCode.USAGE
    return caught.value.details


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
        load_environment(name, root, VARIABLES)
    assert caught.value.what == f"There is no environment named {name!r}"
    assert caught.value.todo == "Known environments in environments: qa."
