"""One image copied by a tool, and how far it is: as the target says, not as the tool does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from sohistio.adapters.registry.client import Registry
from sohistio.adapters.registry.copy_tools import CopyTool, ToolLogins
from sohistio.adapters.registry.errors import RegistryError
from sohistio.adapters.registry.manifests import Content
from sohistio.errors import FailedError, InterruptedRunError
from sohistio.model.image import Image
from sohistio.system.tool_run import ToolRun

# Seconds without a new blob at the target after which a tool is taken to hang; Istio's largest layers have 60 MiB.
STALLED = 900.0
_POLL = 0.05
# Bounds the progress of all copies together to 32 HEADs a second.
_LOOK_EVERY = 0.5
_BLOBS_A_LOOK = 16


@dataclass
class Copy:
    """An image on its way. `bytes_there` is what the target has of it, in bytes, when it was last looked at."""

    source: Image
    target: Image
    content: Content
    bytes_there: int = 0
    moved: float = field(default_factory=time.monotonic)
    missing: dict[str, int] = field(default_factory=dict)


class Progress:
    """Looks at the target which blobs are there, for every copy under way, from a thread of its own.

    A context manager. `report` is called from that thread, after each look at which something had come.
    """

    def __init__(self, registry: Registry, report: Callable[[Copy], None]) -> None:
        self._registry = registry
        self._report = report
        self._copies: list[Copy] = []
        self._lock = threading.Lock()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="progress of copies", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()

    def begin(self, copy: Copy) -> None:
        """Look at this one from now on."""
        copy.missing, copy.moved = dict(copy.content.blobs), time.monotonic()
        with self._lock:
            self._copies.append(copy)

    def end(self, copy: Copy) -> None:
        """No more."""
        with self._lock:
            self._copies.remove(copy)

    def _watch(self) -> None:
        while not self._end.wait(_LOOK_EVERY):
            with self._lock:
                copies = list(self._copies)
            for copy in copies:
                self._look(copy, max(1, _BLOBS_A_LOOK // len(copies)))

    def _look(self, copy: Copy, most: int) -> None:
        for digest in list(copy.missing)[:most]:
            size = copy.missing.pop(digest)
            try:
                there = self._registry.has_blob(copy.target, digest)
            except RegistryError:  # whether the copy fails is the tool's to say
                there = False
            if there:
                copy.bytes_there, copy.moved = copy.bytes_there + size, time.monotonic()
                self._report(copy)
            else:
                copy.missing[digest] = size  # asked for again after the others


def copy_once(copy: Copy, tool: CopyTool, logins: ToolLogins, log: Path, stop: threading.Event) -> None:
    """Run the tool to its end.

    Raises FailedError with its last lines where it fails or hangs, InterruptedRunError once `stop` is set; it never
    outlives this.
    """
    command = tool.command(copy.source, copy.target, logins.path)
    with ToolRun.start(tool.name, command, stdin=logins.stdin, log=log, say=lambda _: None, env=logins.env) as run:
        while run.poll() is None:
            if stop.wait(_POLL):
                raise InterruptedRunError("interrupted", todo="Run it again: what is there is not copied twice.")
            if time.monotonic() - copy.moved > STALLED:
                raise FailedError(
                    f"{tool.name} brought nothing to {copy.target.registry} for {STALLED:.0f} s and was ended",
                    details=run.last_lines,
                    todo=f"Check the network and both registries. Its output is in {log}.",
                )
        run.check()


def check_copy(registry: Registry, image: Image, content: Content) -> None:
    """The target has the digest under its tag, every platform's manifest, and every blob. Raises FailedError."""
    raw = registry.manifest(image.by_tag)
    wrong = []
    if raw is None or raw.digest != content.digest:
        wrong.append(f"the tag {image.tag} has {raw.digest if raw else 'nothing'}, expected {content.digest}")
    wrong += [
        f"the manifest {digest} is missing"
        for digest in content.manifests
        if registry.digest(image.pinned(digest)) != digest
    ]
    wrong += [
        f"the blob {digest} {fault}"
        for digest, size in content.blobs.items()
        if (fault := registry.blob_fault(image, digest, size))
    ]
    if wrong:
        raise FailedError(
            f"{image} is not what was copied",
            details=tuple(wrong),
            todo="Does something else write to this registry, or clean it up?",
        )
