"""cosign: whether an image is signed with a key."""

from __future__ import annotations

import os
import tempfile
import threading
from pathlib import Path

from sohistio.adapters.registry.logins import Login, auth_file, without_own_login
from sohistio.errors import FailedError, RefusedError
from sohistio.model.image import Image
from sohistio.system.paths import state_dir
from sohistio.system.private_folder import private_folder
from sohistio.system.program import run_program

_SECONDS = 60.0


def signature_fault(image: Image, key: str, login: Login | None, folder: Path) -> str:
    """Why cosign does not verify an image (by digest) with a key: a file, from `folder`, or the URI of a key service.

    Empty where it does. The login is given in a private file, which is removed again. Raises RefusedError where cosign
    cannot be started.
    """
    with tempfile.TemporaryDirectory(dir=private_folder(state_dir() / "logins"), prefix="cosign-") as private:
        config = Path(private, "config.json")
        config.touch(0o600)
        config.write_text(auth_file([(image.registry, login)]), encoding="utf-8")
        try:
            run_program(
                # The key is what is trusted. The public transparency log has no entry of a company's own signatures,
                # and an agent often cannot reach it (cosign 2.2.1 and later).
                ("cosign", "verify", "--private-infrastructure", "--key", key, f"{image.repository}@{image.digest}"),
                folder,
                variables=without_own_login(os.environ) | {"DOCKER_CONFIG": private},
                seconds=_SECONDS,
                stop=threading.Event(),
            )
        except RefusedError:
            raise
        except FailedError as error:
            return "; ".join(error.details[-2:]) or error.what
    return ""
