"""Adapter: a kubeconfig and a context → a client of the kubernetes package, which signs requests.

What is wrong with the file is a UsageError (exit 2); a login command of it that fails is a RefusedError (exit 3).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sohistio.adapters.kubernetes.kubeconfig_certificates import check_certificates
from sohistio.adapters.kubernetes.kubeconfig_entries import check_login, check_names, check_texts
from sohistio.adapters.kubernetes.login_commands import check_token, login_errors, tie_logins
from sohistio.adapters.kubernetes.run_folder import run_folder
from sohistio.errors import RefusedError, UsageError
from sohistio.model.hosts import is_loopback
from sohistio.model.kube_target import KubeTarget
from sohistio.system.paths import expanded

_CONNECTIONS = 48  # preflight asks from many threads at once
_GIVE_ONE = "Give a context with --context, or another file with --kubeconfig or KUBECONFIG."


def client_for(target: KubeTarget, *, with_user: bool = True) -> Any:
    """The client for a context. Its own retries are off: kube.py tries again where that is safe.

    Without the user, the context's login command is not started: requests must bring their own token.
    """
    from sohistio.adapters.kubernetes.library import (
        ApiClient,
        ConfigException,
        Configuration,
        kube_config,
        urllib3,
        yaml,
    )

    paths = paths_of(target.kubeconfig)
    where = target.copy_of or ", ".join(map(str, paths))
    configuration = Configuration()
    try:
        merged = kube_config.KubeConfigMerger(os.pathsep.join(map(str, paths))).config
        check_names(merged.value, where)
        known = _contexts(merged)
        if target.context is not None and target.context not in known:
            raise UsageError(
                f"the kubeconfig {where} has no context {target.context!r}",
                details=(f"it has: {', '.join(known) or 'none'}",),
                todo=_GIVE_ONE,
            )
        check_texts(merged.value, target.context, where)
        with login_errors() as failed:
            if not with_user:
                _without_user(merged.value, target, configuration)
            else:
                check_login(merged.value, target.context, where)
                tie_logins(merged.value["users"])
                kube_config.load_kube_config_from_dict(
                    merged,
                    context=target.context,
                    client_configuration=configuration,
                    persist_config=False,
                    temp_file_path=str(run_folder()),
                )
    except ConfigException as error:
        what = f"the kubeconfig {where} cannot be used with context {target.context!r}"
        said = str(error).partition("/{")[0]  # it may go on with the user's credentials
        raise UsageError(what, details=(said,), todo=_GIVE_ONE) from error
    except (OSError, yaml.YAMLError, ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        if isinstance(error, OSError) and error.filename not in (None, *map(str, paths)):
            missing = isinstance(error, FileNotFoundError)
            what = f"the kubeconfig {where} names a file that {'is not there' if missing else 'cannot be read'}"
            why = () if missing else (error.strerror or str(error),)
            raise UsageError(f"{what}: {error.filename}", details=why, todo=_GIVE_ONE) from error
        details = str(error).splitlines() if isinstance(error, (OSError, yaml.YAMLError, UnicodeError)) else ()
        raise UsageError(f"{where} is no kubeconfig", details=tuple(details), todo=_GIVE_ONE) from error
    if failed:
        raise RefusedError(
            f"the login of context {target.context!r} failed",
            details=tuple(failed),
            todo=f"See the user of this context in {where}: its command must be installed, and you logged in.",
        )
    check_token(configuration, target.context)
    configuration.retries = False
    configuration.connection_pool_maxsize = _CONNECTIONS
    _check_server(configuration, target, where)
    check_certificates(configuration, target.context, where)
    try:
        if urlsplit(configuration.proxy or "").scheme.startswith("socks"):
            raise ValueError("urllib3 has no SOCKS without one more library")
        return ApiClient(configuration)
    # A proxy-url that is no text; and of what is no URL the error's text may have the proxy's password.
    except (urllib3.exceptions.HTTPError, ValueError, AttributeError, TypeError):
        raise UsageError(
            "the proxy to the API server cannot be used",
            details=(
                f"it is the proxy-url of context {target.context!r} in {where}, or else the variable HTTPS_PROXY",
            ),
            todo="Set it to http://host:port or https://host:port (sohistio knows no SOCKS), special characters in a "
            "password as %XX.",
        ) from None


def _check_server(configuration: Any, target: KubeTarget, where: Any) -> None:
    """Its certificate is verified; its address is shown and recorded, with no login in it. Raises UsageError."""
    if not configuration.host:
        raise UsageError(
            f"the cluster of context {target.context!r} in the kubeconfig {where} has no server",
            todo="Write the address of its API server there, as server: https://…",
        )
    if not configuration.verify_ssl:
        raise UsageError(
            f"context {target.context!r} has insecure-skip-tls-verify: anybody could be the API server",
            todo=f"Put the cluster's certificate-authority-data in its place in {where}.",
        )
    address = urlsplit(configuration.host)
    # `kubectl proxy` listens on loopback, and speaks TLS to the API server itself.
    if address.scheme == "http" and not is_loopback(address.hostname or ""):
        raise UsageError(
            f"the server of context {target.context!r} is asked without TLS: anybody could be the API server",
            todo=f"Write https:// in its address in {where}.",
        )
    if "@" in str(configuration.host).partition("://")[2].partition("/")[0]:
        raise UsageError(
            f"the server of context {target.context!r} has a login in its address",
            todo=f"Take it out of the address in {where}; a login is the context's user.",
        )


def _without_user(config: dict[str, Any], target: KubeTarget, configuration: Any) -> None:
    """Only the cluster of the context: its user's login command is for other programs."""
    from sohistio.adapters.kubernetes.library import kube_config

    users = [{"name": item["name"], "user": {}} for item in config["users"]]
    kube_config.load_kube_config_from_dict(
        config | {"users": users},
        context=target.context,
        client_configuration=configuration,
        persist_config=False,
        temp_file_path=str(run_folder()),
    )


def paths_of(given: Path | None) -> list[Path]:
    """The files to read: the one given, else those of KUBECONFIG that exist, else ~/.kube/config. Raises UsageError."""
    if given is not None:
        candidates = [given]
    else:
        named = os.environ.get("KUBECONFIG", "").split(os.pathsep)
        candidates = [expanded(name) for name in named if name] or [expanded("~/.kube/config")]
    found = [path for path in candidates if path.is_file()]
    if not found:
        raise UsageError(
            f"there is no kubeconfig at {', '.join(map(str, candidates))}", todo="Give --kubeconfig, or set KUBECONFIG."
        )
    return found


def _contexts(config: Any) -> list[str]:
    return [str(item["name"]) for item in config.value["contexts"]]
