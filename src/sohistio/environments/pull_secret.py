"""Where the pull Secret's content comes from. Never the content itself: environments are kept under version control."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from sohistio.environments.values import Part, Text
from sohistio.environments.variables import is_variable_name

_REGISTRY = re.compile(r"(?:localhost|[a-z0-9-]+(?:\.[a-z0-9-]+)+)(?::[0-9]+)?|[a-z0-9-]+:[0-9]+")
_SECRET = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?/[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
_VAULT = re.compile(r"https://[A-Za-z0-9.-]+(:[0-9]+)?/?")
_VAULT_SECRET = re.compile(r"[0-9A-Za-z-]{1,127}")


def _place(value: str) -> str:
    if not _SECRET.fullmatch(value):
        raise ValueError("expected namespace/name")
    return value


def _registries(value: dict[str, PullSecretSource]) -> dict[str, PullSecretSource]:
    for name in value:
        if not _REGISTRY.fullmatch(name):
            raise ValueError(f"expected names of registries such as jfrog.example.com, without a path, got {name!r}")
    return value


def _path(value: str) -> str:
    if not (Path(value).is_absolute() or value.startswith("~/")):
        raise ValueError("expected an absolute path, or one that begins with ~/")
    return value


def _vault(value: str) -> str:
    if not _VAULT.fullmatch(value):
        raise ValueError("expected the vault's URL such as https://registries.vault.azure.net")
    return value


def _vault_secret(value: str) -> str:
    if not _VAULT_SECRET.fullmatch(value):
        raise ValueError("expected the name of a secret: letters, digits and dashes")
    return value


class Variables(Part):
    """User name and password in environment variables, such as a pipeline's secret variables."""

    username: Text = Field(description="Name of the variable with the user name, without ${}")
    password: Text = Field(description="Name of the variable with the password or token, without ${}")

    @model_validator(mode="after")
    def _names(self) -> Variables:
        # Not said of the one key: the message would show its value, and somebody may have written a password there.
        if not all(is_variable_name(name) for name in (self.username, self.password)):
            raise ValueError("expected username and password to name variables, such as JFROG_USERNAME, JFROG_PASSWORD")
        return self


class KeyVault(Part):
    """A secret of Azure Key Vault: a docker config (JSON), or `username:password`."""

    vault: Annotated[str, AfterValidator(_vault)] = Field(description="The vault's URL")
    secret: Annotated[str, AfterValidator(_vault_secret)] = Field(description="The secret's name")


class PullSecretSource(Part):
    """One of four. Without any, pull Secrets are somebody else's business."""

    variables: Variables | None = None
    docker_config: Annotated[str, AfterValidator(_path)] | None = Field(
        None, description="Path of a docker config file; the entry of the hub's registry is taken"
    )
    secret: Annotated[str, AfterValidator(_place)] | None = Field(
        None, description="namespace/name of a Secret in the cluster to copy"
    )
    key_vault: KeyVault | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> PullSecretSource:
        if [self.variables, self.docker_config, self.secret, self.key_vault].count(None) != 3:
            raise ValueError("expected one of variables, dockerConfig, secret and keyVault")
        return self


PullSecretRegistries = Annotated[dict[str, PullSecretSource], AfterValidator(_registries)]
"""Other registries that the pull Secret logs in to, each with its source."""
