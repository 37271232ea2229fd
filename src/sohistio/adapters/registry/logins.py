"""Which user name and password a registry gets: from the environment or from the files of docker and podman.

Never from the command line, and never shown: what is said of a login is where it comes from.
"""

from __future__ import annotations

import json
import re
import subprocess
import time
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sohistio.environments.variables import value_in
from sohistio.errors import RefusedError
from sohistio.model.image import DOCKER_HUB
from sohistio.model.pull_secrets import login_of

USERNAME, PASSWORD = "SOHISTIO_REGISTRY_USERNAME", "SOHISTIO_REGISTRY_PASSWORD"
DOCKER_HUB_KEY = "https://index.docker.io/v1/"
"""Docker Hub's key in auth files, for every program that reads them."""
_HELPER_SECONDS = 20.0
_POLL_SECONDS = 0.1
# The user name of an identity token, such as a login to Azure's registry leaves it (docker/cli, credentials).
_IDENTITY = "<token>"
_HELPER = re.compile(r"[A-Za-z0-9._-]+")
# What docker's own helpers print where they have nothing (docker-credential-helpers, credentials/error.go).
_HAS_NONE = "credentials not found in native keychain"


@dataclass(frozen=True, slots=True)
class Login:
    """User name and password, and where they are from, for messages."""

    username: str = field(repr=False)
    password: str = field(repr=False)
    origin: str

    @property
    def basic(self) -> str:
        """The two as HTTP's Basic and docker's auth files have them."""
        return b64encode(f"{self.username}:{self.password}".encode()).decode()


def login_of_variables(environ: Mapping[str, str]) -> Login | None:
    """SOHISTIO_REGISTRY_USERNAME and _PASSWORD, which are for the environment's own registry; None where not set.

    Raises RefusedError where only one of them is.
    """
    given = {name: value_in(environ, name) for name in (USERNAME, PASSWORD)}
    unset = [name for name, value in given.items() if not value]
    if len(unset) == 1:
        raise RefusedError(f"{unset[0]} is not set, and the other one is", todo=f"Set both {USERNAME} and {PASSWORD}.")
    return None if unset else Login(given[USERNAME], given[PASSWORD], f"{USERNAME} and {PASSWORD}")


def without_own_login(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables without those of `login_of_variables`: a program that gets the login needs no password in them."""
    return {name: value for name, value in environ.items() if name not in (USERNAME, PASSWORD)}


def login_of_files(place: str, environ: Mapping[str, str], home: Path) -> Login | None:
    """The login for a place (`registry/path`) of the first auth file that has one; None where none has.

    Looked at, in this order: $REGISTRY_AUTH_FILE, $DOCKER_CONFIG/config.json, ~/.docker/config.json,
    $XDG_RUNTIME_DIR/containers/auth.json. A credential helper that a file names for the registry is asked first, as
    docker does. Raises RefusedError for a file that is no such file, and for a helper that fails.
    """
    for path in dict.fromkeys(_files(environ, home)):
        config = _read(path)
        if config is None:
            continue
        host = place.partition("/")[0]
        helper = (config.get("credHelpers") or {}).get(host) or config.get("credsStore")
        if helper and (login := _of_helper(str(helper), host, environ)):
            return login
        if pair := login_of(config, place):
            return Login(*pair, str(path))
    return None


def _files(environ: Mapping[str, str], home: Path) -> Iterator[Path]:
    if own := environ.get("REGISTRY_AUTH_FILE"):
        yield Path(own)
    if folder := environ.get("DOCKER_CONFIG"):
        yield Path(folder) / "config.json"
    yield home / ".docker" / "config.json"
    if runtime := environ.get("XDG_RUNTIME_DIR"):
        yield Path(runtime) / "containers" / "auth.json"


def _read(path: Path) -> dict[str, Any] | None:
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except OSError as error:
        reason = error.strerror or str(error)
        raise RefusedError(f"{path} cannot be read: {reason}", todo="Check its permissions: it has logins.") from error
    except (ValueError, RecursionError):
        config = None
    if not isinstance(config, dict) or not all(
        isinstance(config.get(key, {}), dict) for key in ("auths", "credHelpers")
    ):
        # The cause is left out: an error of JSON quotes what it has read.
        raise RefusedError(
            f"{path} is no file of registry logins", todo='Expected JSON such as {"auths": {"<registry>": …}}.'
        ) from None
    return config


def _of_helper(name: str, host: str, environ: Mapping[str, str]) -> Login | None:
    """What the helper has for a registry, asked over its standard input (docker-credential-helpers, README)."""
    program = f"docker-credential-{name}"
    todo = f"Log in again, or see what `echo {host} | {program} get` says."
    if not _HELPER.fullmatch(name):
        raise RefusedError(f"{name!r} is no name of a credential helper", todo="Correct the auth file that names it.")
    asked = DOCKER_HUB_KEY if host == DOCKER_HUB else host
    try:
        code, output, errors = _run((program, "get"), asked.encode(), environ)
    except FileNotFoundError:
        raise RefusedError(
            f"the credential helper {program} is not in PATH", todo="Install it, or log in without it."
        ) from None
    except (OSError, subprocess.TimeoutExpired) as error:
        how = f"did not answer within {_HELPER_SECONDS:.0f} s" if isinstance(error, subprocess.TimeoutExpired) else ""
        raise RefusedError(f"the credential helper {program} {how or 'could not be run'}", todo=todo) from None
    if code != 0:
        if _HAS_NONE in output + errors:
            return None
        # Its output is not shown: it may hold what it should have given.
        raise RefusedError(f"the credential helper {program} failed (exit code {code})", todo=todo)
    return _answer(output, program, host, todo)


def _run(command: tuple[str, ...], text: bytes, environ: Mapping[str, str]) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a program; what it leaves behind, such as a daemon, may keep those open.

    Raises OSError, subprocess.TimeoutExpired.
    """
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=dict(environ)) as process:
        end = time.monotonic() + _HELPER_SECONDS
        given: bytes | None = text
        while True:
            ended = process.poll() is not None
            try:
                output, errors = process.communicate(given, timeout=_POLL_SECONDS)
            except subprocess.TimeoutExpired as so_far:
                given = None  # what is not written yet is kept
                if not ended and time.monotonic() < end:
                    continue
                if not ended:
                    process.kill()
                    raise
                output, errors = so_far.output or b"", so_far.stderr or b""
            return process.returncode, output.decode(errors="replace"), errors.decode(errors="replace")


def _answer(text: str, program: str, host: str, todo: str) -> Login | None:
    try:
        answer = json.loads(text)
        username, password = str(answer["Username"]), str(answer["Secret"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise RefusedError(f"the credential helper {program} gave no user name and secret", todo=todo) from None
    if username == _IDENTITY:
        raise RefusedError(
            f"the credential helper {program} has an identity token for {host}, which sohistio does not use",
            todo="Log in with a user name and a password or token.",
        )
    return Login(username, password, program) if username and password else None


def auth_file(logins: Iterable[tuple[str, Login | None]]) -> str:
    """An auth file (JSON) with these registries' logins and nothing else."""
    auths = {
        DOCKER_HUB_KEY if registry == DOCKER_HUB else registry: {"auth": login.basic}
        for registry, login in logins
        if login is not None
    }
    return json.dumps({"auths": auths})
