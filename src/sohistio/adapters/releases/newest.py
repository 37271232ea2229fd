"""Finding the newest release of a minor that a mirror has: mirrors list nothing, so likely names are asked for."""

from __future__ import annotations

import platform
from collections.abc import Callable

from sohistio.adapters.releases.downloads import Downloads, Patience
from sohistio.adapters.releases.lock import published_checksum
from sohistio.adapters.releases.mirror import Mirror, Platform
from sohistio.errors import NotObtainedError
from sohistio.model.versions import Version
from sohistio.system.parallel import side_by_side

# Istio's minors have ended with at most 14 patch releases so far.
_MOST_PATCHES = 20
_ONE_TRY = Patience(attempts=1, connect=5.0, silence=5.0, total=10.0)


def newest_patch(mirror: Mirror, major: int, minor: int, say: Callable[[str], None]) -> Version | None:
    """The newest `major.minor.N` with a published checksum for this machine; None where there is none to be found."""
    here = Platform.of(platform.system(), platform.machine())
    candidates = [Version(major, minor, patch) for patch in range(_MOST_PATCHES)]
    try:
        with Downloads(mirror, say, _ONE_TRY) as downloads:
            found = side_by_side(lambda v: published_checksum(downloads, mirror, (v, here)), candidates)
    except NotObtainedError:
        return None  # a proposal is a courtesy: without the mirror there is none
    return max((version for version, digest in zip(candidates, found, strict=True) if digest), default=None)
