"""Finding the istioctl of a version: the one given, the one in the cache, or the one the mirror has."""

from __future__ import annotations

import json
import platform
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sohistio.adapters.releases.cache_folder import cannot_store, exclusive
from sohistio.adapters.releases.digest import known_sha256, sha256_of
from sohistio.adapters.releases.downloads import Downloads, Patience
from sohistio.adapters.releases.lock import published_checksum, read_lock
from sohistio.adapters.releases.mirror import Mirror, Platform
from sohistio.errors import NotObtainedError, SohistioError
from sohistio.istioctl import Istioctl, reported_version
from sohistio.model.versions import Version
from sohistio.system.bounded_file import NotOwnError, check_own_file, make_own_folder, own_bytes

_RECORD = "istioctl.json"
_MOST_RECORDED = 4096
_PARTIAL = ".partial-"


@dataclass(frozen=True, slots=True)
class IstioctlSource:
    """Where an istioctl may come from.

    `cache` is sohistio's cache folder, `lock` the file of pins (None or missing: nothing is pinned), `explicit` the
    binary the user gave, which is then the only one considered. A mirror whose releases are `rebuilt` (a sandbox's) is
    asked each time whether the cached binary is still the one it publishes. Where there is a folder of `archives` (a
    bundle's), they are taken from there and from nowhere else.
    """

    cache: Path
    mirror: Mirror
    lock: Path | None = None
    explicit: Path | None = None
    patience: Patience | None = None
    rebuilt: bool = False
    archives: Path | None = None

    @property
    def place(self) -> str:
        """Whose binaries these are, as a folder of the cache."""
        return "bundle" if self.archives else self.mirror.host


def obtain_istioctl(version: Version, source: IstioctlSource, progress: Callable[[str], None]) -> Istioctl:
    """The istioctl of exactly this version. Raises NotObtainedError (exit 3), or UsageError for a broken lock file.

    A cached binary is used only while its SHA-256 is the one it had when unpacked and its archive's is the one pinned;
    binaries of different mirrors are kept apart.
    Any number of runs may do this at once: one downloads, the others wait for it.
    """
    if source.explicit is not None:
        return _given(source.explicit, version)
    here = Platform.of(platform.system(), platform.machine())
    pin = _pinned(version, here, source)
    if pin is None and source.rebuilt and source.archives is None:
        with Downloads(source.mirror, progress, source.patience) as downloads:
            pin = published_checksum(downloads, source.mirror, (version, here))
    folder = _folder(version, here, source)
    binary = folder / here.binary
    digest = _intact(binary, pin)
    if digest is None:
        with exclusive(folder, progress):
            digest = _intact(binary, pin)
            if digest is None:
                digest = _Fetch(version, here, source, progress).into(folder, pin)
    return Istioctl(binary, version, digest)


def cached_istioctl(version: Version, source: IstioctlSource) -> Istioctl | None:
    """The one that `obtain_istioctl` would find without asking anybody; None where it would ask."""
    if source.explicit is not None or source.rebuilt:
        return None
    here = Platform.of(platform.system(), platform.machine())
    try:
        pin = _pinned(version, here, source)
    except SohistioError:
        return None
    binary = _folder(version, here, source) / here.binary
    digest = _intact(binary, pin)
    return None if digest is None else Istioctl(binary, version, digest)


def _pinned(version: Version, here: Platform, source: IstioctlSource) -> str | None:
    """The checksum that its archive must have, None where nobody pinned one. Raises as obtain_istioctl does."""
    pin = read_lock(source.lock).get((version, here)) if source.lock else None
    if pin is None and source.archives is not None:
        return _bundled_checksum(source.archives, here.archive(version))
    return pin


def _folder(version: Version, here: Platform, source: IstioctlSource) -> Path:
    return source.cache / "istioctl" / source.place / str(version) / str(here)


def _given(path: Path, version: Version) -> Istioctl:
    try:
        found = reported_version(path)
    except NotObtainedError as error:
        raise NotObtainedError(
            f"{path} cannot be used as istioctl {version}",
            details=(error.what, *error.details),
            todo="Give another --istioctl PATH, or leave it out to have the right one fetched.",
        ) from error
    if found != version:
        raise NotObtainedError(
            f"{path} is istioctl {found}, but istioctl {version} is needed",
            todo=f"Give the path of istioctl {version}, or leave --istioctl out to have it fetched.",
        )
    return Istioctl(path.absolute(), version, _digest_of(path))


def _digest_of(binary: Path) -> str:
    try:
        return sha256_of(binary)
    except OSError:  # a program may be run without being readable
        return ""


def _intact(binary: Path, pin: str | None) -> str | None:
    """The binary's SHA-256 if it is as it was unpacked, from the archive that is pinned; anything unreadable is not,
    nor what somebody else may have written.
    """
    try:
        record = json.loads(own_bytes(binary.parent / _RECORD, _MOST_RECORDED))
        check_own_file(binary)
        digest = known_sha256(binary)
        return digest if record["binarySha256"] == digest and pin in (None, record["archiveSha256"]) else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _bundled_checksum(archives: Path, name: str) -> str:
    """The checksum that the mirror had beside the archive when the bundle was made. Raises NotObtainedError."""
    try:
        return (archives / f"{name}.sha256").read_text(encoding="ascii").split()[0]
    except (OSError, ValueError, IndexError) as error:
        there = ", ".join(sorted(path.name for path in archives.glob("istioctl-*") if path.suffix != ".sha256"))
        raise NotObtainedError(
            f"the bundle has no {name}",
            details=(f"it has {there or 'no istioctl'}",),
            todo="Make a bundle of this version, with this platform (`sohistio bundle`).",
        ) from error


@dataclass(frozen=True, slots=True)
class _Fetch:
    version: Version
    platform: Platform
    source: IstioctlSource
    say: Callable[[str], None]

    def into(self, folder: Path, pin: str | None) -> str:
        """Fetch, check and unpack beside the place it goes to; the last act is a rename. The binary's SHA-256."""
        from sohistio.adapters.releases.archives import unpack_binary

        try:
            with suppress(NotOwnError):  # there, it is fetched each time
                make_own_folder(folder, 0o755)
            for left_by_a_killed_run in folder.glob(f"{_PARTIAL}*"):
                shutil.rmtree(left_by_a_killed_run, ignore_errors=True)
            with tempfile.TemporaryDirectory(dir=folder, prefix=_PARTIAL) as name:
                partial = Path(name)
                digest = self._archive(partial, pin)
                fresh = partial / self.platform.binary
                unpack_binary(partial / self._name, self.platform, fresh)
                self._check_version(fresh)
                unpacked = sha256_of(fresh)
                record = partial / _RECORD
                record.write_text(json.dumps({"archiveSha256": digest, "binarySha256": unpacked}) + "\n")
                record.chmod(0o644)
                record.replace(folder / _RECORD)
                fresh.replace(folder / self.platform.binary)
        except OSError as error:
            raise cannot_store(error, folder) from error
        self.say(f"istioctl {self.version} is in {folder}")
        return unpacked

    @property
    def _name(self) -> str:
        return self.platform.archive(self.version)

    def _archive(self, partial: Path, pin: str | None) -> str:
        if self.source.archives is not None:
            return self._bundled(self.source.archives, partial, pin)
        mirror = self.source.mirror
        url = mirror.archive_url(self.version, self.platform)
        self.say(f"fetching {url}")
        with Downloads(mirror, self.say, self.source.patience) as downloads:
            published = published_checksum(downloads, mirror, (self.version, self.platform))
            found = downloads.file(url, partial / self._name)
        if found is None:
            raise NotObtainedError(
                f"The mirror has no istioctl {self.version} for {self.platform}",
                details=(f"not found: {url}",),
                todo="Check the version, and the mirror (SOHISTIO_ISTIO_MIRROR).",
            )
        if published is None:
            raise NotObtainedError(
                f"The mirror publishes no checksum for istioctl {self.version}",
                details=(f"not found: {url}.sha256",),
                todo="Have the mirror serve the release's .sha256 files too; without one nothing is installed.",
            )
        self._compare(url, found, published, pin)
        return found

    def _bundled(self, archives: Path, partial: Path, pin: str | None) -> str:
        published = _bundled_checksum(archives, self._name)
        shutil.copyfile(archives / self._name, partial / self._name)
        found = sha256_of(partial / self._name)
        self._compare(f"{self._name} of the bundle", found, published, pin)
        return found

    def _compare(self, url: str, found: str, published: str, pin: str | None) -> None:
        hashes = (f"published: {published} ({url}.sha256)", f"found:     {found}", f"file:      {url}")
        if pin not in (None, found):
            raise NotObtainedError(
                f"istioctl {self.version} for {self.platform} is not the one that {self.source.lock} pins",
                details=(f"pinned:    {pin}", *hashes),
                todo="Find out why the mirror's release changed before you pin it anew with `sohistio env lock`.",
            )
        if found != published:
            raise NotObtainedError(
                f"The archive of istioctl {self.version} for {self.platform} has the wrong checksum",
                details=hashes,
                todo="Try again; if it stays, the mirror's copy is damaged or changed: do not use it.",
            )

    def _check_version(self, binary: Path) -> None:
        said = reported_version(binary)
        if said != self.version:
            raise NotObtainedError(
                f"{self._name} holds istioctl {said}, not {self.version}",
                details=(f"from: {self.source.mirror.archive_url(self.version, self.platform)}",),
                todo="Check what the mirror serves under this name.",
            )
