"""The Secret `cacerts` as a volume of istiod's pod: files below its working directory, where istiod looks for them."""

from __future__ import annotations

import base64
from pathlib import Path

from sohistio.sandbox.cluster_api import ClusterApi, ClusterApiError

_SECRET = "/api/v1/namespaces/istio-system/secrets/cacerts"  # noqa: S105 — a path  # nosec B105
_FOLDER = Path("etc") / "cacerts"


def mount_authority(api: ClusterApi, home: Path) -> None:
    """Write the Secret's files, for this user only; none where it is not there, which a pod's volume has as optional.

    Raises ClusterApiError.
    """
    try:
        data = api.get(_SECRET).get("data") or {}
    except ClusterApiError as error:
        if error.status != 404:
            raise
        return
    folder = home / _FOLDER
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name, encoded in data.items():
        file = folder / Path(name).name
        file.touch(mode=0o600)
        file.write_bytes(base64.b64decode(encoded))
