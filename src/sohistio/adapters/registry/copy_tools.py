"""The programs that copy images between registries: skopeo, crane or oras, whichever is in PATH, in this order."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sohistio.adapters.registry.logins import without_own_login
from sohistio.errors import RefusedError
from sohistio.model.image import Image
from sohistio.system.private_folder import private_folder

NAMES = ("skopeo", "crane", "oras")
_STANDARD_INPUT = "/dev/stdin"


@dataclass(frozen=True, slots=True)
class CopyTool:
    """One of them, and where it is. `trusted` is a folder whose ca.crt signed the source's certificate; None for one of
    the usual authorities."""

    name: str
    path: str
    trusted: Path | None = None

    def command(self, source: Image, target: Image, login_file: str) -> tuple[str, ...]:
        """Its arguments: an image by digest to a tag, with all platforms, every digest kept."""
        digest = f"{source.repository}@{source.digest}"
        if self.name == "skopeo":
            flags = ("copy", "--quiet", "--all", "--preserve-digests", "--authfile", login_file)
            trust = (f"--src-cert-dir={self.trusted}",) if self.trusted else ()
            return (self.path, *flags, *trust, f"docker://{digest}", f"docker://{target}")
        if self.name == "crane":
            return (self.path, "copy", digest, str(target))
        files = (f"--from-registry-config={login_file}", f"--to-registry-config={login_file}")
        trust = (f"--from-ca-file={self.trusted / 'ca.crt'}",) if self.trusted else ()
        return (self.path, "copy", "--recursive", *files, *trust, digest, str(target))


@dataclass(frozen=True, slots=True)
class ToolLogins:
    """How a tool gets the logins: the path it is given, what is on its standard input, and its variables."""

    path: str
    stdin: str
    env: Mapping[str, str]


def find_tool(trusted: Path | None = None) -> CopyTool:
    """The first one in PATH. Raises RefusedError that says how to get one.

    `trusted` is as in CopyTool: crane knows no authority of one registry alone, and is left out then.
    """
    for name in NAMES:
        if (path := shutil.which(name)) and not (trusted and name == "crane"):
            return CopyTool(name, path, trusted)
    raise RefusedError(
        "there is no skopeo, crane or oras in PATH, and images are copied by one of them",
        todo="Install skopeo (Debian, Ubuntu: sudo apt-get install skopeo; Fedora, RHEL: sudo dnf install skopeo; "
        "macOS: brew install skopeo), or put crane (go-containerregistry) or oras into PATH.",
    )


@contextmanager
def tool_logins(tool: CopyTool, auth_file: str, folder: Path) -> Iterator[ToolLogins]:
    """Hand an auth file (JSON) to a tool, for as long as the block lasts.

    On Linux it is the tool's standard input, which has no name in any folder, and is gone however this ends. Elsewhere
    what opens /dev/stdin twice finds it read: there it is a file (0600) in `folder`, which only this user can enter.
    """
    env = without_own_login(os.environ)
    by_stdin = sys.platform.startswith("linux")
    if by_stdin and tool.name != "crane":
        yield ToolLogins(_STANDARD_INPUT, auth_file, env)
        return
    with tempfile.TemporaryDirectory(dir=private_folder(folder), prefix=f"{tool.name}-") as place:
        path = Path(place) / "config.json"  # crane takes a folder, in which docker's name for the file is looked for
        if by_stdin:
            path.symlink_to(_STANDARD_INPUT)
        else:
            path.touch(0o600)
            path.write_text(auth_file, encoding="utf-8")
        yield ToolLogins(str(path), auth_file if by_stdin else "", env | {"DOCKER_CONFIG": place})
