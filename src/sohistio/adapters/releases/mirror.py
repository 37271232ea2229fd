"""Where Istio's releases are: the base URL, the names of its archives, and what may be said about them in public."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from sohistio.errors import NotObtainedError, UsageError
from sohistio.model.hosts import is_loopback
from sohistio.model.versions import Version

PUBLIC_RELEASES = "https://github.com/istio/istio/releases/download"
MIRROR_VARIABLE = "SOHISTIO_ISTIO_MIRROR"

_SYSTEMS = {"linux": "linux", "darwin": "osx", "windows": "win"}
_MACHINES = {
    "x86_64": "amd64",
    "amd64": "amd64",
    "aarch64": "arm64",
    "arm64": "arm64",
    "armv7l": "armv7",
    "armv8l": "armv7",
}


@dataclass(frozen=True, slots=True, order=True)
class Platform:
    """An operating system and architecture in the words of Istio's archive names."""

    os: str
    arch: str

    @classmethod
    def of(cls, system: str, machine: str) -> Platform:
        """From `platform.system()` and `platform.machine()`; raises NotObtainedError where Istio releases nothing."""
        found = cls(_SYSTEMS.get(system.lower(), ""), _MACHINES.get(machine.lower(), ""))
        if found == cls("win", "arm64"):
            found = cls("win", "amd64")  # the only one for Windows, which runs it on ARM too
        if found not in PLATFORMS:
            raise NotObtainedError(
                f"Istio releases no istioctl for {system} on {machine}",
                details=(f"there is one for {', '.join(map(str, PLATFORMS))}",),
                todo="Build one and give it with --istioctl PATH, or run sohistio elsewhere.",
            )
        return found

    @property
    def binary(self) -> str:
        return "istioctl.exe" if self.os == "win" else "istioctl"

    def archive(self, version: Version) -> str:
        """The file name of the release archive."""
        return f"istioctl-{version}-{self}.{'zip' if self.os == 'win' else 'tar.gz'}"

    def __str__(self) -> str:
        return f"{self.os}-{self.arch}"


PLATFORMS = (
    Platform("linux", "amd64"),
    Platform("linux", "arm64"),
    Platform("linux", "armv7"),
    Platform("osx", "amd64"),
    Platform("osx", "arm64"),
    Platform("win", "amd64"),
)


def archive_name(version: Version, system: str, machine: str) -> str:
    """The archive for a machine that calls itself so, e.g. `istioctl-1.31.1-linux-amd64.tar.gz`."""
    return Platform.of(system, machine).archive(version)


@dataclass(frozen=True, slots=True)
class Mirror:
    """The base URL of releases. Its credentials are kept apart from it, so that `base` can always be printed."""

    base: str
    credentials: tuple[str, str] | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, text: str) -> Mirror:
        """Read a base URL; raises UsageError unless it is https (or http to this machine) without query or fragment."""
        todo = f"Set {MIRROR_VARIABLE} to a base URL such as {PUBLIC_RELEASES}."
        try:
            parts = urlsplit(text.strip())
            parts.port  # noqa: B018 - reading it checks it
        except ValueError:
            raise UsageError("The mirror of Istio's releases is not a URL", todo=todo) from None
        shown = without_secrets(text.strip())
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UsageError(f"The mirror of Istio's releases is not an http(s) URL: {shown!r}", todo=todo)
        if parts.query or parts.fragment:
            raise UsageError(f"The mirror of Istio's releases has a query or a fragment: {shown}", todo=todo)
        if not may_be_asked(shown):
            raise UsageError(
                f"The mirror of Istio's releases is plain http: {shown}",
                details=("http is allowed for this machine only (localhost, 127.0.0.0/8, ::1)",),
                todo="Use the https address of the mirror.",
            )
        credentials = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
        return cls(shown.rstrip("/"), credentials)

    @classmethod
    def choose(cls, argument: str | None, environment: Mapping[str, str]) -> Mirror:
        """The mirror given by argument, else by SOHISTIO_ISTIO_MIRROR, else Istio's public releases."""
        return cls.parse(argument or environment.get(MIRROR_VARIABLE) or PUBLIC_RELEASES)

    @property
    def host(self) -> str:
        """The host it is on; the same version from two hosts need not be the same program."""
        return (urlsplit(self.base).hostname or "").replace(":", "_")

    def archive_url(self, version: Version, platform: Platform) -> str:
        return f"{self.base}/{version}/{platform.archive(version)}"

    def checksum_url(self, version: Version, platform: Platform) -> str:
        return f"{self.archive_url(version, platform)}.sha256"


def without_secrets(url: str) -> str:
    """The URL without user, password, query and fragment (release stores redirect to URLs signed in their query)."""
    parts = urlsplit(url)
    return urlunsplit(SplitResult(parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def may_be_asked(url: str) -> bool:
    """True for https anywhere and for plain http to this machine: nobody on the way can read or change those."""
    parts = urlsplit(url)
    if parts.scheme != "http":
        return parts.scheme == "https"
    return is_loopback(parts.hostname or "")
