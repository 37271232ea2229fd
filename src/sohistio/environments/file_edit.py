"""The edit of a file that people write: its text before and after. Nothing is written here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class FileEdit:
    """`file` is how messages name it; both texts are the same where there is nothing to change."""

    path: Path
    file: str
    before: str
    after: str

    @property
    def changes(self) -> bool:
        """Whether there is anything to write."""
        return self.before != self.after
