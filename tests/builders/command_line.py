"""sohistio as a process, with nothing of the person or the pipeline that runs the tests."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from warm import WARM

CHECKOUT = Path(__file__).parents[2]
SHIPPED = {"SOHISTIO_IP_PREFIX": "10.20", "SOHISTIO_SUBSCRIPTION": "11111111-2222-4333-8444-555555555555"}
"""What the environments of the checkout need."""
_FOREIGN = ("SOHISTIO_", "AGENT_", "TF_", "XDG_")


def command(*arguments: str) -> list[str]:
    """As a user starts it."""
    return [sys.executable, "-m", "sohistio", *arguments]


def environ(**variables: str) -> dict[str, str]:
    """What it sees: no defaults of a person's own, no cluster, no way to a release."""
    mine = {name: text for name, text in os.environ.items() if not name.startswith(_FOREIGN)}
    nothing = {"SOHISTIO_CONFIG": os.devnull, "KUBECONFIG": os.devnull, "SOHISTIO_ISTIO_MIRROR": "none"}
    return mine | SHIPPED | nothing | variables


def run(*arguments: str, cwd: Path = CHECKOUT, **variables: str) -> subprocess.CompletedProcess[str]:
    """To its end."""
    return WARM.run(arguments, cwd=cwd, env=environ(**variables), timeout=120)
