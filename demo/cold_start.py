"""sohistio as a process that imports all it needs, as a person's command does."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path


def cold(
    arguments: Sequence[str], *, cwd: Path, env: Mapping[str, str], timeout: float
) -> subprocess.CompletedProcess[str]:
    """Run `sohistio ARGUMENTS` to its end; no terminal, no standard input."""
    return subprocess.run(
        [sys.executable, "-m", "sohistio", *arguments],
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
