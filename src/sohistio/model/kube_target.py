"""Which cluster a run talks to: given to istioctl and to the Kubernetes API in the same words."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


class Bearer(Protocol):
    """Who gives tokens for the API server, in place of the kubeconfig's user. Both raise SohistioError."""

    def token(self) -> str:
        """A token that is good now."""

    def renew(self, rejected: str) -> None:
        """The API server rejected this one: have another."""


@dataclass(frozen=True, slots=True)
class KubeTarget:
    """A kubeconfig and a context in it; None leaves the choice to the usual rules ($KUBECONFIG, current-context).

    `copy_of` names the person's files where the kubeconfig is the run's own copy: messages name those files.
    """

    kubeconfig: Path | None = None
    context: str | None = None
    copy_of: str = ""

    def arguments(self) -> tuple[str, ...]:
        """The flags istioctl takes (`--kubeconfig`, `--context`); `=` keeps a value that starts with a dash a value."""
        flags = {"kubeconfig": self.kubeconfig, "context": self.context}
        return tuple(f"--{name}={value}" for name, value in flags.items() if value is not None)
