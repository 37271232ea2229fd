"""How fast `images mirror` is beside a plain loop of `skopeo copy` over the same images, in one run, as a ratio.

Both go to the same registries, and every request to the source takes some time, as it does on the way to Docker Hub.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

import pytest

from mirrors import VERSION, Mirror, Registries, a_mirror
from sandboxes import Sandbox

pytestmark = pytest.mark.e2e

LEAST_RATIO = 1.5


def loop_seconds(mirror: Mirror) -> float:
    """What somebody would do by hand, to a path of its own."""
    skopeo = shutil.which("skopeo") or "/usr/bin/skopeo"
    logins = ("--authfile", mirror.variables()["REGISTRY_AUTH_FILE"])
    started = time.monotonic()
    for name in mirror.contents:
        source = f"docker://{mirror.both.way.host}/{mirror.path}/{name}:{VERSION}"
        target = f"docker://{mirror.both.target.host}/{mirror.path}-by-hand/{name}:{VERSION}"
        command = (skopeo, "copy", "--quiet", "--all", "--preserve-digests", *logins, source, target)
        subprocess.run(command, env=mirror.environ(), check=True, timeout=120)
    return time.monotonic() - started


def measured(mirror: Mirror) -> float:
    """The loop's seconds divided by those of the copies.

    The whole command takes longer (printed): it asks istioctl first which images there are.
    """
    by_hand = loop_seconds(mirror)
    started = time.monotonic()
    done = mirror.document()
    whole = time.monotonic() - started
    assert all(map(mirror.is_there, mirror.contents))
    started = time.monotonic()
    assert mirror.document()["outcome"] == "upToDate"
    again = time.monotonic() - started
    print(
        f"{len(mirror.contents)} images: skopeo loop {by_hand:.1f} s; mirrored {done['seconds']:.1f} s "
        f"(whole command {whole:.1f} s), ratio {by_hand / done['seconds']:.1f} ({by_hand / whole:.1f}); "
        f"again {again:.1f} s"
    )
    return by_hand / float(done["seconds"])


def test_a_few_images(sandbox: Sandbox, both: Registries, tmp_path: Path) -> None:
    mirror = a_mirror(sandbox, both, tmp_path, "few")
    both.way.delay = 0.2  # so that it counts for more than what a busy machine adds
    assert measured(mirror) >= LEAST_RATIO
