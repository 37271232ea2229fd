"""`sohistio egress allow`, as a process: what it shows, writes and refuses. No cluster is there to be asked."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from environment_folder import OPERATOR, QA, VARIABLES, environment_folder
from warm import WARM

FILE = "environments/qa/environment.yaml"
SCHEMA = Path(__file__).parents[3] / "docs/schemas/egress-allowed.schema.json"
HOST = ("--host", "api.example.com", "--port", "443")
SHOP = ("--namespace", "shop")
DECLARED = """\
policy: # reviewed in spring
  egress:
    hosts:
      - host: api.example.com
        namespaces: [shop] # the web shop

# the end
"""


def egress_allow(folder: Path, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run in the folder, without a kubeconfig: one that was read would be missed."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("SOHISTIO_")}
    variables = {**kept, **VARIABLES, "KUBECONFIG": str(folder / "none"), "HOME": str(folder / "home")}
    done = WARM.run(("egress", "allow", "--env", "qa", *arguments), cwd=folder, env=variables, timeout=60)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


def test_the_first_host_is_a_diff_with_what_it_means(tmp_path: Path) -> None:
    root = environment_folder(tmp_path)
    done = egress_allow(tmp_path, *HOST, *SHOP)
    assert done.stdout == (
        f"--- {FILE}\n"
        f"+++ {FILE}\n"
        "@@ -1,3 +1,9 @@\n"
        " name: qa\n"
        " ingressAddress: ${SOHISTIO_IP_PREFIX}.20.188\n"
        " cluster: {context: aks-qa}\n"
        "+policy:\n"
        "+  egress:\n"
        "+    hosts:\n"
        "+      - host: api.example.com\n"
        "+        port: 443\n"
        "+        namespaces: [shop]\n"
        "\n"
        "Note: This is the first key of policy.egress: its mode is registryOnly, so the next install closes every "
        "external host that is not declared. `mode: allowAny` below policy.egress leaves them open.\n"
        "Note: Applications call http://api.example.com:80; it goes through the egress gateway, which speaks TLS to "
        "port 443.\n"
        f"{FILE} is written. The cluster is as it was. Next: sohistio plan --env qa\n"
    )
    assert (root / "qa/environment.yaml").read_text().startswith(QA + "policy:\n")
    assert [path.name for path in (root / "qa").iterdir()] == ["environment.yaml"]


def test_one_more_caller_is_one_line(tmp_path: Path) -> None:
    root = environment_folder(tmp_path, qa=DECLARED)
    egress_allow(tmp_path, *HOST, "--namespace", "billing")
    expected = QA + DECLARED.replace("[shop] # the web shop", "[shop, billing] # the web shop")
    assert (root / "qa/environment.yaml").read_text() == expected


def test_two_databases_of_one_port_have_addresses(tmp_path: Path) -> None:
    file = environment_folder(tmp_path) / "qa/environment.yaml"
    for number in (1, 2):
        named = ("--host", f"db{number}.example.com", "--port", "5432", "--address", f"10.1.2.{number}")
        egress_allow(tmp_path, *named, *SHOP)
    assert file.read_text().count("addresses: [10.1.2.") == 2


@pytest.mark.parametrize(
    "asked",
    [SHOP, (*SHOP, *SHOP), ("--service-account", "shop/checkout"), (*SHOP, "--tls", "originate", "--protocol", "http")],
)
def test_what_is_allowed_already_writes_nothing(tmp_path: Path, asked: tuple[str, ...]) -> None:
    file = environment_folder(tmp_path, qa=DECLARED) / "qa/environment.yaml"
    before = (file.read_bytes(), file.stat().st_ino, file.stat().st_mtime_ns)
    done = egress_allow(tmp_path, *HOST, *asked)
    assert done.stdout == f"api.example.com:443 is already allowed in {FILE}; nothing was written.\n"
    assert (file.read_bytes(), file.stat().st_ino, file.stat().st_mtime_ns) == before


def test_a_host_that_a_variable_names_is_found_and_stays_a_variable(tmp_path: Path) -> None:
    qa = DECLARED.replace("host: api.example.com", "host: api${SOHISTIO_IP_PREFIX}.example.com")
    file = environment_folder(tmp_path, qa=qa) / "qa/environment.yaml"
    egress_allow(tmp_path, "--host", "api10.20.example.com", "--namespace", "billing")
    assert file.read_text() == QA + qa.replace("[shop]", "[shop, billing]")


def test_asking_twice_is_asking_once(tmp_path: Path) -> None:
    environment_folder(tmp_path)
    both = (*SHOP, "--service-account", "shop/checkout", "--service-account", "billing/batch")
    assert "not only shop/checkout" in egress_allow(tmp_path, *HOST, *both).stdout
    assert "already allowed" in egress_allow(tmp_path, *HOST, *both).stdout


def test_a_dry_run_only_shows(tmp_path: Path) -> None:
    file = environment_folder(tmp_path) / "qa/environment.yaml"
    done = egress_allow(tmp_path, *HOST, *SHOP, "--dry-run")
    assert "+        namespaces: [shop]\n" in done.stdout
    assert done.stdout.endswith(f"{FILE} would be changed like this; nothing was written (--dry-run).\n")
    assert file.read_text() == QA


def test_the_list_of_base_comes_along(tmp_path: Path) -> None:
    """Lists replace: without base's entries they would be closed."""
    root = environment_folder(tmp_path, base=DECLARED.replace("api.", "base."))
    done = egress_allow(tmp_path, "--host", "db.example.com", "--port", "1433", *SHOP)
    own = (root / "qa/environment.yaml").read_text()
    assert own == QA + (
        "policy:\n  egress:\n    hosts:\n"
        "      - host: base.example.com\n        namespaces: [shop]\n"
        "      - host: db.example.com\n        port: 1433\n        namespaces: [shop]\n"
    )
    assert (
        "Note: environments/base/environment.yaml has 1 host. Lists replace, so environments/qa/environment.yaml has "
        "all of them now: changes of that list no longer reach qa.\n"
    ) in done.stdout
    assert "first key of policy.egress" not in done.stdout


def test_what_base_allows_is_allowed(tmp_path: Path) -> None:
    environment_folder(tmp_path, base=DECLARED)
    assert "already allowed" in egress_allow(tmp_path, *HOST, *SHOP).stdout


@pytest.mark.parametrize(
    ("qa", "arguments", "said"),
    [
        (DECLARED, ("--host", "api.example.com", "--port", "8443", *SHOP),
         f"Error: api.example.com is declared already, with port 443, not 8443.\nWhat to do: A host is declared once: "
         f"give --port 443 or leave it out, or change it in {FILE}.\n"),
        (DECLARED, (*HOST, *SHOP, "--address", "10.1.2.3"), "already, with address (none), not 10.1.2.3"),
        ("", (*HOST, *SHOP, "--address", "127.0.0.1"), "expected addresses outside the pod, got 127.0.0.1"),
        (DECLARED, (*HOST, *SHOP, "--tls", "none"), "declared already, with tls originate, not none"),
        ("", ("--host", "API.example.com", *SHOP), f"{FILE}:7: policy.egress.hosts[0].host: expected a full name in "
         "lower case"),
        ("", (*HOST, "--namespace", "My Shop"), f"{FILE}:9: policy.egress.hosts[0].namespaces[0]: expected a name"),
        ("", (*HOST, "--service-account", "checkout"), "serviceAccounts[0]: expected namespace/name"),
        ("", (*HOST, *SHOP, "--tls", "passthrough", "--application-port", "80"), "expected no applicationPort"),
        ("protcted: true\n", (*HOST, *SHOP), f"{FILE}:4: protcted: unknown key; did you mean protected?"),
        ("policy: &p {}\n", (*HOST, "--namespace", "x", "--env", "nowhere"), "no environment named 'nowhere'"),
        ("", HOST, "Error: nobody is said to call the host."),
        ("", ("--host", "a.b", "--port", "70000", *SHOP), "less than or equal to 65535"),
    ],
)  # fmt: skip
def test_what_is_wrong_writes_nothing(tmp_path: Path, qa: str, arguments: tuple[str, ...], said: str) -> None:
    file = environment_folder(tmp_path, qa=qa) / "qa/environment.yaml"
    done = egress_allow(tmp_path, *arguments, code=2)
    assert said in done.stderr
    assert done.stdout == ""
    assert file.read_text() == QA + qa


def test_without_an_egress_gateway_there_is_no_way_out(tmp_path: Path) -> None:
    operator = OPERATOR.partition("    egressGateways:")[0]
    file = environment_folder(tmp_path, operator=operator) / "qa/environment.yaml"
    done = egress_allow(tmp_path, *HOST, *SHOP, code=2)
    assert "policy.egress.hosts: expected an egress gateway in istiooperator.yaml" in done.stderr
    assert file.read_text() == QA


def test_an_empty_policy_that_switches_bases_off_is_not_filled(tmp_path: Path) -> None:
    """A key in it would bring back all that base says."""
    qa = "policy: # none here\n"
    file = environment_folder(tmp_path, base="policy: {mtls: {}}\n", qa=qa) / "qa/environment.yaml"
    done = egress_allow(tmp_path, *HOST, *SHOP, code=2)
    assert f"{FILE} switches the policy of base/environment.yaml off" in done.stderr
    assert file.read_text() == QA + qa


def test_mode_line_ends_and_a_link_stay(tmp_path: Path) -> None:
    link = environment_folder(tmp_path) / "qa/environment.yaml"
    kept = tmp_path / "kept.yaml"
    kept.write_bytes(QA.replace("\n", "\r\n").encode())
    kept.chmod(0o640)
    link.unlink()
    link.symlink_to(kept)
    done = egress_allow(tmp_path, *HOST, *SHOP)
    assert f"Note: {FILE} is a link; {kept.resolve()} was written.\n" in done.stdout
    assert link.is_symlink()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o640
    lines = kept.read_bytes().splitlines(keepends=True)
    assert lines[-1] == b"        namespaces: [shop]\r\n"
    assert all(line.endswith(b"\r\n") for line in lines)
    assert "\r" not in done.stdout


def test_a_file_that_cannot_be_written_stays(tmp_path: Path) -> None:
    """Not even by root: there is no room for a file beside it whose name is longer still."""
    link = environment_folder(tmp_path) / "qa/environment.yaml"
    kept = tmp_path / ("k" * 255)
    kept.write_text(QA)
    link.unlink()
    link.symlink_to(kept)
    done = egress_allow(tmp_path, *HOST, *SHOP, code=2)
    assert f"Error: {FILE} cannot be written.\n  File name too long\n" in done.stderr
    assert done.stdout == ""
    assert kept.read_text() == QA
    assert sorted(path.name for path in tmp_path.iterdir()) == ["environments", "k" * 255]


def test_a_file_that_would_lose_a_comment_is_shown_as_it_should_be(tmp_path: Path) -> None:
    entries = "      - {host: a.com, namespaces: [x]}\n      # about c\n      - {host: c.com, namespaces: [x]}  # g\n"
    qa = f"policy:\n  egress:  # e\n    hosts:  # f\n{entries}"
    file = environment_folder(tmp_path, qa=qa) / "qa/environment.yaml"
    done = egress_allow(tmp_path, "--host", "a.com", *SHOP, code=2)
    assert f"Error: {FILE} cannot be edited: a comment would be lost: # about c.\n" in done.stderr
    assert "    - host: a.com\n" in done.stderr
    assert "Nothing was written. Change the list by hand" in done.stderr
    assert file.read_text() == QA + qa


def test_as_a_document(tmp_path: Path) -> None:
    environment_folder(tmp_path)
    documents: list[dict[str, Any]] = []
    for extra in (("--dry-run",), (), ()):
        documents.append(json.loads(egress_allow(tmp_path, *HOST, *SHOP, *extra, "-o", "json").stdout))
        jsonschema.validate(documents[-1], json.loads(SCHEMA.read_text()))
    assert [(found["written"], found["alreadyAllowed"], found["next"]) for found in documents] == [
        (False, False, None),
        (True, False, "sohistio plan --env qa"),
        (False, True, None),
    ]
    assert documents[0]["diff"] == documents[1]["diff"]
    assert documents[2]["diff"] == []
    wrong = json.loads(egress_allow(tmp_path, *HOST, "-o", "json", code=2).stdout)
    assert (wrong["kind"], wrong["error"]["exitCode"]) == ("Error", 2)
