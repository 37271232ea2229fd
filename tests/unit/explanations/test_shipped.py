"""The documentation that comes with sohistio."""

from __future__ import annotations

from pathlib import Path

import pytest

from sohistio.errors import FailedError
from sohistio.explanations.shipped import shipped_documents


def test_all_pages_are_there() -> None:
    assert "docs/troubleshooting.md" in shipped_documents()


@pytest.mark.parametrize("folder", ["nothing", "_docs"])
def test_a_package_without_them(tmp_path: Path, folder: str) -> None:
    package = tmp_path / "site-packages" / "sohistio"
    (package / folder).mkdir(parents=True)
    with pytest.raises(FailedError, match="cannot be read") as caught:
        shipped_documents(package)
    assert caught.value.todo == "Install sohistio again."
