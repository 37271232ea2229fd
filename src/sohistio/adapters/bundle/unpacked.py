"""What a run takes out of a bundle: environments with their pins, istioctl's archives, images; each once a process."""

from __future__ import annotations

from pathlib import Path

from sohistio.adapters.bundle.archive import read_contents, unpack_bundle
from sohistio.errors import NotObtainedError
from sohistio.model.bundle import Contents
from sohistio.system.lazy import lazy
from sohistio.system.paths import cache_dir
from sohistio.system.private_folder import private_folder

ENVIRONMENTS, ISTIOCTL, IMAGES = "environments", "istioctl", "images"
"""The folders of a bundle."""


class Bundle:
    """A bundle that was given with --bundle. Every property raises NotObtainedError."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @lazy
    def contents(self) -> Contents:
        """What it says that it has."""
        return read_contents(self.path)

    @lazy
    def environments(self) -> Path:
        """The folder of environments, with the pins."""
        return self._folder(ENVIRONMENTS)

    @lazy
    def istioctl(self) -> Path:
        """The folder of istioctl's archives, each with its checksum as the mirror had it."""
        return self._folder(ISTIOCTL)

    @lazy
    def images(self) -> Path:
        """The folder of images, an OCI layout."""
        return self._folder(IMAGES)

    def _folder(self, name: str) -> Path:
        parent = cache_dir() / "bundles"
        try:
            folder = private_folder(parent) / f"{self.contents.environment}-{name}"
            folder.mkdir()
        except OSError as error:
            raise NotObtainedError(
                f"there is no folder for the bundle in {parent}", details=(str(error),), todo="Set XDG_CACHE_HOME."
            ) from error
        unpack_bundle(self.path, folder, lambda path: path.startswith(f"{name}/"))
        return folder / name
