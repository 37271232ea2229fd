"""Programs that tests run and no package has, built from their Go modules into the cache, each once.

`python tests/builders/built.py` builds those of `make test` beforehand; with names, these.
"""

from __future__ import annotations

import fcntl
import hashlib
import subprocess
import sys
from pathlib import Path

from sohistio.sandbox.toolchain import build_environment, find_go
from sohistio.system.paths import cache_dir

_MODULES = Path(__file__).parents[1] / "programs"
_PROGRAMS = {
    # Without service discoveries but Kubernetes', which monitoring uses: half the time to build.
    "prometheus": ("monitoring", "github.com/prometheus/prometheus/cmd/prometheus"),
    "promtool": ("monitoring", "github.com/prometheus/prometheus/cmd/promtool"),
    "alertmanager": ("monitoring", "github.com/prometheus/alertmanager/cmd/alertmanager"),
    "amtool": ("monitoring", "github.com/prometheus/alertmanager/cmd/amtool"),
    "vegeta": ("vegeta", "github.com/tsenart/vegeta/v12"),
    "jaeger": ("jaeger", "github.com/jaegertracing/jaeger/cmd/jaeger"),
}
_OF_THE_TESTS = ("prometheus", "promtool", "alertmanager", "amtool", "vegeta")
_TAGS = "remove_all_sd,enable_kubernetes_sd"


def built(name: str) -> str:
    """The program's path; it is built where the cache does not have it."""
    module, package = _PROGRAMS[name]
    folder = _MODULES / module
    key = hashlib.sha256((folder / "go.mod").read_bytes() + (folder / "go.sum").read_bytes()).hexdigest()[:12]
    path = cache_dir() / "tests" / f"{module}-{key}" / name
    if path.exists():
        return str(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with (path.parent / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            print(f"building {name}", flush=True)
            unfinished = path.with_suffix(".building")
            command = [find_go(()), "build", "-trimpath", "-ldflags", "-s -w", "-tags", _TAGS, "-o", str(unfinished)]
            subprocess.run([*command, package], cwd=folder, env=build_environment(), check=True)
            unfinished.replace(path)
    return str(path)


if __name__ == "__main__":
    for wanted in sys.argv[1:] or _OF_THE_TESTS:
        built(wanted)
