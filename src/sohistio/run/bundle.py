"""Makes a bundle: fetches what the plan names into a folder of this process, and packs it."""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sohistio.adapters.bundle.archive import write_bundle
from sohistio.adapters.bundle.layout import Layout
from sohistio.adapters.bundle.unpacked import ENVIRONMENTS, IMAGES, ISTIOCTL
from sohistio.adapters.registry.errors import RegistryError
from sohistio.adapters.releases.cache_folder import NO_ROOM, NotStoredError, mebibytes
from sohistio.adapters.releases.downloads import Downloads
from sohistio.adapters.releases.lock import published_checksum
from sohistio.environments.images_lock import NAME, write_images_lock
from sohistio.errors import NotObtainedError, RefusedError, UsageError
from sohistio.model.bundle import Contents
from sohistio.model.image import Image
from sohistio.model.versions import Version
from sohistio.planning.bundle import BundlePlan
from sohistio.planning.registries import Sources
from sohistio.planning.session import Session
from sohistio.system.parallel import side_by_side
from sohistio.system.private_folder import working_folder

Say = Callable[[str], None]
# An environment's folder may hold more, such as the key that DNS is updated with: no bundle has that.
_BUNDLED = (".yaml", ".yml", ".json", ".lock")
_SAY_SECONDS = 2.0


def check_out(target: Path) -> None:
    """Raises UsageError, before anything is fetched, where no bundle can be written there: never over a device."""
    if str(target) == "-":
        raise UsageError("--out - would be a file of that name", todo="Name a file: it is not written to stdout.")
    if not target.parent.is_dir():
        raise UsageError(f"there is no folder {target.parent}", todo="Make it, or give another --out.")
    if target.exists() and not target.is_file():
        raise UsageError(f"{target} is there, and is no file", todo="Give another --out.")
    try:
        with tempfile.TemporaryFile(dir=target.parent):
            pass
    except OSError as error:
        raise UsageError(
            f"no file can be written in {target.parent}",
            details=(error.strerror or str(error),),
            todo="Check its permissions and the room in it, or give another --out.",
        ) from error


def make_bundle(session: Session, sources: Sources, plan: BundlePlan, target: Path) -> Contents:
    """Write the bundle; where this fails or is interrupted, `target` is as it was.

    Raises NotObtainedError, RegistryError, RefusedError where there is no room.
    """
    with _room(target) as room:
        folder = room / "content"
        shutil.copytree(plan.environments, folder / ENVIRONMENTS, ignore=_not_bundled)
        write_images_lock(folder / ENVIRONMENTS / NAME, plan.pins)
        _istioctl(session, plan, folder / ISTIOCTL)
        _images(sources, plan, folder / IMAGES, session.say)
        session.say(f"packing {target}")
        packed = room / "packed"
        contents = write_bundle(folder, packed, environment=plan.environment, version=plan.version)
        packed.replace(target)
        return contents


@contextmanager
def _room(target: Path) -> Iterator[Path]:
    """Beside the target: a bundle takes the same room once more while it is made."""
    try:
        with working_folder(target.parent, f".{target.name}") as folder:
            yield folder
    except (OSError, NotStoredError, UsageError) as error:
        cause = error if isinstance(error, OSError) else error.__cause__
        if not isinstance(cause, OSError):
            raise
        raise _not_made(target, cause) from error


def _not_made(target: Path, cause: OSError) -> RefusedError:
    what = f"the bundle cannot be made in {target.parent}"
    if cause.errno in NO_ROOM:
        what = f"there is no room for the bundle in {target.parent}"
    return RefusedError(
        what,
        details=(str(cause),),
        todo=f"While it is made, it takes its size twice there. Make room in {target.parent}, or give --out in another "
        "folder. Nothing was written.",
    )


def _istioctl(session: Session, plan: BundlePlan, folder: Path) -> None:
    """The archives as the mirror has them; each is checked against what the mirror publishes, and against its pin when
    it is used."""
    folder.mkdir()
    version = Version.parse(plan.version)
    with Downloads(session.mirror, session.say) as downloads:
        for platform in plan.platforms:
            name = platform.archive(version)
            url = session.mirror.archive_url(version, platform)
            session.say(f"fetching {name}")
            published = published_checksum(downloads, session.mirror, (version, platform))
            found = downloads.file(url, folder / name)
            if found is None or found != published:
                raise NotObtainedError(
                    f"the mirror has no istioctl {version} for {platform} that is whole",
                    details=(f"published: {published or 'nothing'}", f"found:     {found or 'nothing'}", url),
                    todo="Check the version, --platform, and the mirror (SOHISTIO_ISTIO_MIRROR).",
                )
            (folder / f"{name}.sha256").write_text(f"{published} {name}\n", encoding="ascii")


def _images(sources: Sources, plan: BundlePlan, folder: Path, say: Say) -> None:
    layout = Layout(folder)
    layout.blob("").mkdir(parents=True)
    blobs: dict[str, Image] = {}
    sizes: dict[str, int] = {}
    for item in plan.images:
        say(f"fetching {item.image.by_tag}")
        for digest in (item.content.digest, *item.content.manifests):
            source = sources.of(item.image)
            raw = source.manifest(item.image.pinned(digest))
            if raw is None:
                raise RegistryError(f"{item.image} has gone from {source.host}", todo="Run it again.")
            layout.blob(digest).write_bytes(raw.body)
        blobs |= dict.fromkeys(item.content.blobs, item.image)
        sizes |= item.content.blobs
    fetched = _Fetched(plan.bytes, say)

    def fetch(digest: str) -> None:
        sources.of(blobs[digest]).save_blob(blobs[digest], digest, layout.blob(digest), sizes[digest])
        fetched.add(sizes[digest])

    side_by_side(fetch, blobs, interrupted=sources.give_up)
    layout.write_index({item.image.by_tag: item.image.digest for item in plan.images})


@dataclass
class _Fetched:
    """Bytes so far, of `total`; said every two seconds."""

    total: int
    say: Say
    bytes: int = 0
    said: float = field(default_factory=time.monotonic)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, size: int) -> None:
        with self.lock:
            self.bytes += size
            now = time.monotonic()
            if now - self.said < _SAY_SECONDS:
                return
            self.said = now
        self.say(f"images: {mebibytes(self.bytes)} of {mebibytes(self.total)}")


def _not_bundled(folder: str, names: list[str]) -> list[str]:
    """For copytree: the files that stay here."""
    return [
        name
        for name in names
        if name.startswith(".") or (not name.endswith(_BUNDLED) and not (Path(folder) / name).is_dir())
    ]
