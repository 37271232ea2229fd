"""The key `policy.authority`: where a corporate CA's certificate and key are. Never the key itself."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from sohistio.environments.values import Part, matching
from sohistio.model.authority import AuthoritySource

_vault = matching(r"https://[A-Za-z0-9.-]+(:[0-9]+)?/?", "the vault's URL such as https://mesh.vault.azure.net")
_secret = matching(r"[0-9A-Za-z-]{1,127}", "the name of a secret: letters, digits and dashes")


def _path(value: str) -> str:
    if not value or value.startswith("~") or "-----BEGIN" in value:
        # The value is not shown: somebody may have put the key itself there.
        raise ValueError("expected a path, from the environment's folder or absolute")
    return str(PurePosixPath(value))


_File = Annotated[str, AfterValidator(_path)]
_Secret = Annotated[str, AfterValidator(_secret)]


class AuthorityFiles(Part):
    """PEM files, by their names in Istio's documentation."""

    certificate: _File = Field("ca-cert.pem", description="The CA's certificate, from the environment's folder")
    key: _File = Field("ca-key.pem", description="Its key; needed for the first install only, and no file for git")
    root: _File = Field("root-cert.pem", description="The root's certificate")
    chain: _File = Field("cert-chain.pem", description="From the CA's certificate towards the root")


class AuthorityVault(Part):
    """Secrets of Azure Key Vault, PEM each."""

    vault: Annotated[str, AfterValidator(_vault)] = Field(description="The vault's URL")
    certificate: _Secret = Field(description="Name of the secret with the CA's certificate")
    key: _Secret = Field(description="Name of the secret with its key; read for the first install only")
    root: _Secret = Field(description="Name of the secret with the root's certificate")
    chain: _Secret = Field(description="Name of the secret with the chain, from the CA's certificate towards the root")


class AuthorityKeys(Part):
    """A corporate CA. Without this key istiod makes a self-signed root of its own."""

    files: AuthorityFiles | None = None
    key_vault: AuthorityVault | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> AuthorityKeys:
        if (self.files is None) == (self.key_vault is None):
            raise ValueError("expected one of files and keyVault")
        return self

    def source(self) -> AuthoritySource:
        """The same as plain data."""
        if self.key_vault is not None:
            of = self.key_vault
            return AuthoritySource(of.certificate, of.key, of.root, of.chain, of.vault)
        files = self.files or AuthorityFiles()
        return AuthoritySource(files.certificate, files.key, files.root, files.chain)
