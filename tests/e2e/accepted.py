"""`make acceptance-aks` on the sandbox as an AKS cluster, as a person who is logged in runs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from aks import PRINCIPAL, Aks
from sandboxes import CHECKOUT


def accepted(
    aks: Aks, environments: Path, environment: str = "acceptance", **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run it to its end; its report is in the folder of the environments, unless REPORT says otherwise."""
    own = {"ENVIRONMENT": environment, "CONFIRM": environment, "SOHISTIO_ENVIRONMENTS": str(environments)}
    return subprocess.run(
        [sys.executable, CHECKOUT / "demo" / "acceptance.py"],
        cwd=environments,
        env=aks.environ(PRINCIPAL, **(own | variables)),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
