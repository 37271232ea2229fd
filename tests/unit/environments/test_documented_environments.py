"""Environments that a page gives as a whole are valid as they are written."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from sohistio.environments.load import problems_of

CHECKOUT = Path(__file__).parents[3]
ACCEPTANCE = CHECKOUT / "docs" / "acceptance.md"


def test_the_environment_to_throw_away(tmp_path: Path) -> None:
    root = tmp_path / "environments"
    shutil.copytree(CHECKOUT / "environments", root)
    (text,) = re.findall(r"```yaml\n(.*?)```", ACCEPTANCE.read_text(encoding="utf-8"), re.DOTALL)
    (root / "acceptance").mkdir()
    (root / "acceptance" / "environment.yaml").write_text(text, encoding="utf-8")
    variables = re.findall(r"^export (\w+)=", ACCEPTANCE.read_text(encoding="utf-8"), re.MULTILINE)
    assert [str(problem) for problem in problems_of("acceptance", root, dict.fromkeys(variables, "x"))] == []
