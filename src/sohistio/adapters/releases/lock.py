"""The pins of istioctl, environments/istioctl.lock: in the format of `sha256sum`, so `sha256sum -c` reads it too."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sohistio.adapters.releases.downloads import Downloads, Patience
from sohistio.adapters.releases.mirror import PLATFORMS, Mirror, Platform, without_secrets
from sohistio.errors import NotObtainedError, UsageError
from sohistio.model.versions import Version
from sohistio.system.parallel import side_by_side

_HEADER = """\
# SHA-256 of the istioctl archives that may be used; any other is refused.
# Written by `sohistio env lock`. Review a changed line as you would review a changed program.
"""
_LINE = re.compile(r"([0-9a-f]{64}) [ *](istioctl-(\d+\.\d+\.\d+\S*?)-(linux|osx|win)-([a-z0-9]+)\.(?:tar\.gz|zip))")
_PUBLISHED = re.compile(r"([0-9a-fA-F]{64})(?:\s+\*?(\S+))?\s*")
_PARALLEL = 4

Release = tuple[Version, Platform]
Pins = Mapping[Release, str]


@dataclass(frozen=True, slots=True)
class LockReport:
    """What `lock_versions` wrote. `changed` holds pins that were others before: (release, before, now)."""

    added: tuple[Release, ...]
    changed: tuple[tuple[Release, str, str], ...]
    missing: tuple[Release, ...]


def read_lock(path: Path) -> dict[Release, str]:
    """The pinned SHA-256 of each release; empty where there is no file. Raises UsageError naming the line."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read", details=(str(error),), todo="Check the file.") from error
    pins: dict[Release, str] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        release, digest = _read_line(line.rstrip(), f"{path}:{number}")
        if pins.setdefault(release, digest) != digest:
            raise UsageError(
                f"{path}:{number}: istioctl {release[0]} for {release[1]} is pinned twice, to different hashes",
                todo="Keep the right line, or write the file again with `sohistio env lock`.",
            )
    return pins


def _read_line(line: str, where: str) -> tuple[Release, str]:
    match = _LINE.fullmatch(line)
    platform = Platform(match[4], match[5]) if match else None
    with suppress(UsageError):  # whatever is no version is no pin
        version = Version.parse(match[3] if match else "")
        if match and platform in PLATFORMS and platform.archive(version) == match[2]:
            return (version, platform), match[1]
    raise UsageError(
        f"{where}: this is not a pin",
        details=(
            line[:200],
            "expected: <64 lower-case hex digits>  istioctl-<version>-<os>-<arch>.tar.gz (.zip for win)",
        ),
        todo="Correct the line, or write the file again with `sohistio env lock`.",
    )


def write_lock(path: Path, pins: Pins) -> None:
    """Write the pins sorted by version and platform, all at once. Raises UsageError."""
    lines = [f"{pins[release]}  {release[1].archive(release[0])}\n" for release in sorted(pins)]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".lock-") as folder:
            fresh = Path(folder) / path.name
            fresh.write_text(_HEADER + "".join(lines), encoding="utf-8", newline="\n")
            fresh.replace(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be written", details=(str(error),), todo="Check the folder.") from error


def published_checksum(downloads: Downloads, mirror: Mirror, release: Release) -> str | None:
    """The SHA-256 that the mirror publishes beside the archive; None where it has none. Raises NotObtainedError.

    Istio writes `<hash> <name>`, sha256sum two spaces, Artifactory the hash alone.
    """
    url = mirror.checksum_url(*release)
    text = downloads.text(url)
    if text is None:
        return None
    match = _PUBLISHED.fullmatch(text)
    archive = release[1].archive(release[0])
    if match is None or (match[2] is not None and match[2] != archive):
        raise NotObtainedError(
            f"{without_secrets(url)} is not the checksum of {archive}",
            details=(f"it begins with: {text[:100].splitlines()[0] if text.strip() else '(nothing)'}",),
            todo="Check what the mirror serves under this name (a login page?).",
        )
    return match[1].lower()


def lock_versions(
    path: Path,
    versions: Sequence[Version],
    mirror: Mirror,
    *,
    say: Callable[[str], None],
    patience: Patience | None = None,
) -> LockReport:
    """Pin what the mirror publishes now for `versions` on every platform; pins of other versions stay.

    A platform the mirror does not have is left as it was and reported as missing. Raises NotObtainedError, with nothing
    written, where the mirror has none of a version's platforms or cannot be asked; UsageError for a broken lock file.
    """
    before = read_lock(path)
    releases = [(version, platform) for version in sorted(set(versions)) for platform in PLATFORMS]
    with Downloads(mirror, say, patience) as downloads:
        digests = side_by_side(lambda release: published_checksum(downloads, mirror, release), releases)
        found = dict(zip(releases, digests, strict=True))
    for version in set(versions):
        if not any(found[version, platform] for platform in PLATFORMS):
            raise NotObtainedError(
                f"The mirror {mirror.base} has no istioctl {version}",
                details=(f"asked for: {mirror.checksum_url(version, PLATFORMS[0])} and its siblings",),
                todo="Check the version and the mirror (SOHISTIO_ISTIO_MIRROR).",
            )
    now = {release: digest for release, digest in found.items() if digest}
    write_lock(path, before | now)
    return LockReport(
        added=tuple(release for release in now if release not in before),
        changed=tuple((r, before[r], now[r]) for r in now if r in before and before[r] != now[r]),
        missing=tuple(release for release, digest in found.items() if not digest),
    )
