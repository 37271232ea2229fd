"""The wheel carries everything that sohistio needs where there is no checkout."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]


def test_what_the_wheel_carries(tmp_path: Path) -> None:
    build = (sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(CHECKOUT))
    done = subprocess.run(build, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = tmp_path.glob("sohistio-*.whl")
    with zipfile.ZipFile(wheel) as content:
        names = set(content.namelist())
        entry_points = next(name for name in names if name.endswith("entry_points.txt"))
        assert "sohistio = sohistio.__main__:main" in content.read(entry_points).decode()
    source = CHECKOUT / "src"
    ours = {str(path.relative_to(source)) for path in source.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    assert ours <= names, "every file of the package, go.mod, go.sum, stages.yaml and py.typed among them"
    assert {"sohistio/py.typed", "sohistio/sandbox/stages.yaml", "sohistio/sandbox/modules/istio/go.sum"} <= ours
    files = (path for path in (CHECKOUT / "environments").rglob("*") if path.is_file())
    assert {f"sohistio/_environments/{path.relative_to(CHECKOUT / 'environments')}" for path in files} <= names
    assert {
        f"sohistio/_rbac/{role}.yaml" for role in ("reader", "installer", "authority", "sync", "namespaces")
    } <= names
    pages = {path.name for path in (CHECKOUT / "docs").glob("*.md")}
    assert {f"sohistio/_docs/{page}" for page in pages} <= names, "what `sohistio explain` reads"
    assert not any("test" in name.split("/")[0] for name in names)
