"""Before several clusters are asked at once, what their threads would import is there: none sees half a library."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from command_line import CHECKOUT, environ

ADAPTERS = CHECKOUT / "src" / "sohistio" / "adapters"
_LOAD = """
import sys
from pathlib import Path
from sohistio.planning.libraries import load_libraries
from sohistio.planning.session import Session, Where
load_libraries(Session(Where(name, Path("environments")), print) for name in {names!r})
print("\\n".join(sys.modules))
"""
# Of Azure's adapter, what is asked before a cluster is.
AZURE = ("account.py", "credential.py", "errors.py", "managed.py", "tokens.py")


def loaded(*names: str) -> set[str]:
    program = [sys.executable, "-c", _LOAD.format(names=names)]
    done = subprocess.run(program, cwd=CHECKOUT, env=environ(), capture_output=True, text=True, check=True, timeout=60)
    return set(done.stdout.splitlines())


def late_imports(path: Path) -> Iterator[str]:
    """The modules of others that functions of a file import."""
    for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(function, ast.FunctionDef):
            for node in ast.walk(function):
                if isinstance(node, ast.Import):
                    yield from (alias.name for alias in node.names)
                elif isinstance(node, ast.ImportFrom) and node.module:
                    yield node.module


@pytest.mark.parametrize(
    ("names", "files"),
    [
        (("local",), sorted(ADAPTERS.glob("kubernetes/*.py"))),
        (("local", "qa"), [ADAPTERS / "azure" / name for name in AZURE]),
    ],
    ids=["kubernetes", "azure"],
)
def test_nothing_is_imported_later(names: tuple[str, ...], files: list[Path]) -> None:
    there = loaded(*names)
    late = {name for path in files for name in late_imports(path)}
    late = {name for name in late if not name.startswith("sohistio") and name.partition(".")[0] not in _STANDARD}
    assert len(late) > 1
    assert late <= there


_STANDARD = sys.stdlib_module_names


def test_azure_is_imported_only_where_it_is_asked() -> None:
    assert "azure.identity" not in loaded("local")


def test_an_environment_that_is_not_there_is_told_elsewhere() -> None:
    assert "kubernetes.config.kube_config" in loaded("nowhere")


def test_what_a_client_does_not_use_is_not_imported() -> None:
    """Two fifths of the library's time; whoever imports one of them later gets the real one."""
    unused = {"kubernetes.dynamic", "kubernetes.stream", "kubernetes.watch", "oauthlib.oauth2", "requests", "websocket"}
    assert not unused & loaded("local")
    program = "import sohistio.adapters.kubernetes.library, requests_oauthlib as it; print(it.OAuth2Session)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "<class 'requests_oauthlib.oauth2_session.OAuth2Session'>\n"
