"""The key `policy.authority`: what it becomes, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from environment_folder import VARIABLES, environment_folder
from sohistio.environments.load import load_environment, problems_of
from sohistio.model.authority import AuthoritySource

VAULT = "vault: https://x.vault.azure.net, certificate: ca, key: ca-key, root: root, chain: chain"


@pytest.mark.parametrize(
    ("authority", "expected"),
    [
        ("{files: {}}", AuthoritySource("ca-cert.pem", "ca-key.pem", "root-cert.pem", "cert-chain.pem")),
        (
            "{files: {certificate: ca/a.pem, key: /run/secrets/key.pem}}",
            AuthoritySource("ca/a.pem", "/run/secrets/key.pem", "root-cert.pem", "cert-chain.pem"),
        ),
        (f"{{keyVault: {{{VAULT}}}}}", AuthoritySource("ca", "ca-key", "root", "chain", "https://x.vault.azure.net")),
    ],
)
def test_where_it_comes_from(tmp_path: Path, authority: str, expected: AuthoritySource) -> None:
    root = environment_folder(tmp_path, qa=f"policy:\n  authority: {authority}\n")
    found = load_environment("qa", root, VARIABLES)
    assert found.mesh_policy().authority == expected


def test_without_the_key_there_is_none(tmp_path: Path) -> None:
    root = environment_folder(tmp_path, qa="policy: {mtls: {}}\n")
    assert load_environment("qa", root, VARIABLES).mesh_policy().authority is None


@pytest.mark.parametrize(
    ("authority", "expected"),
    [
        ("{}", "expected one of files and keyVault"),
        (f"{{files: {{}}, keyVault: {{{VAULT}}}}}", "expected one of files and keyVault"),
        ("{files: {key: ~/ca-key.pem}}", "expected a path, from the environment's folder or absolute"),
        ("{keyVault: {vault: http://x, certificate: a, key: b, root: c, chain: d}}", "expected the vault's URL"),
        (
            "{keyVault: {vault: https://x, certificate: a_b, key: b, root: c, chain: d}}",
            "expected the name of a secret",
        ),
        ("{keyVault: {vault: https://x, certificate: a, key: b, root: c}}", "chain"),
    ],
)
def test_what_is_refused(tmp_path: Path, authority: str, expected: str) -> None:
    root = environment_folder(tmp_path, qa=f"policy:\n  authority: {authority}\n")
    (problem,) = problems_of("qa", root, VARIABLES)
    assert "policy.authority" in problem.key
    assert expected in f"{problem.key} {problem.text}"
