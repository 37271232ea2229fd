"""Which login to Azure is asked for. Plain data; `--help` loads it, so it stays small."""

from __future__ import annotations

from enum import StrEnum


class Auth(StrEnum):
    """What `--auth` takes."""

    AUTO = "auto"
    PIPELINES = "pipelines"
    ENVIRONMENT = "environment"
    WORKLOAD_IDENTITY = "workload-identity"
    AZURE_CLI = "azure-cli"
