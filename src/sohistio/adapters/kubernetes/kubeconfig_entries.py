"""What the cluster and the user of a kubeconfig's context may say.

Some keys have to be text: `tls-server-name: 5` is a number in YAML, and kubectl refuses it too. A login by
`auth-provider` is none: where it names no authority, the library would send its secrets to whoever answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sohistio.errors import UsageError

FILES = {
    "cluster": ("certificate-authority",),
    "user": ("tokenFile", "client-certificate", "client-key"),
    "context": (),
}
"""What names a file in each kind of entry."""
_TEXTS = {
    "cluster": (
        "server",
        "tls-server-name",
        "proxy-url",
        "certificate-authority",
        "certificate-authority-data",
    ),
    "user": (
        "token",
        "tokenFile",
        "client-certificate",
        "client-certificate-data",
        "client-key",
        "client-key-data",
        "username",
        "password",
    ),
}
_AS_OTHERS = ("as", "as-uid", "as-groups", "as-user-extra")


def check_names(config: Mapping[str, Any], where: object) -> None:
    """Of all entries, in merged nodes: an entry is found by its name. Raises UsageError."""
    for kind in ("clusters", "users", "contexts"):
        for item in config.get(kind) or ():
            if not isinstance(item.value.get("name"), str):
                raise UsageError(
                    f"a name in {kind} of the kubeconfig {where} is not text",
                    todo="Give each entry a name, in quotes where it looks like a number.",
                )


def check_texts(config: Mapping[str, Any], context: str | None, where: object) -> None:
    """Of the cluster and the user that the context names, in merged nodes. Raises UsageError, without the value.

    An entry that is not there is the library's to say.
    """
    inner = _context(config, context, where)
    for kind, keys in _TEXTS.items():
        name = inner.get(kind)
        if not isinstance(name, str | None):
            raise UsageError(
                f"the {kind} of context {context!r} in the kubeconfig {where} is no name",
                todo=f"Write the name of one of its {kind}s there.",
            )
        entry = _entry(config, kind, name, where)
        for key in keys:
            if not isinstance(entry.get(key), str | None):
                raise UsageError(
                    f"{key} of {kind} {name!r} in the kubeconfig {where} is not text",
                    todo=f'Give it as text, in quotes where it looks like a number: {key}: "…".',
                )
        _check_files(entry, kind, f"{kind} {name!r} in the kubeconfig {where}")
        if kind == "cluster":
            _check_addresses(entry, name, where)


def check_login(config: Mapping[str, Any], context: str | None, where: object) -> None:
    """Of the user that the context names, in merged nodes. Raises UsageError."""
    name = _context(config, context, where).get("user")
    if name is not None and name not in (item.value["name"] for item in config.get("users") or ()):
        raise UsageError(
            f"the kubeconfig {where} has no user {name!r}, which context {context!r} names",
            todo="Fetch the kubeconfig again, or give another context with --context.",
        )
    entry = _entry(config, "user", name, where)
    if others := [key for key in _AS_OTHERS if entry.get(key)]:
        raise UsageError(
            f"user {name!r} in the kubeconfig {where} acts as somebody else ({', '.join(others)})",
            details=("sohistio would ask with the user's own rights, and istioctl with the other's",),
            todo="Give a context whose user needs no impersonation.",
        )
    if "auth-provider" in entry:
        raise UsageError(
            f"user {name!r} in the kubeconfig {where} logs in by an auth-provider, and sohistio uses none",
            todo="Let a command log in (`exec`): `kubelogin convert-kubeconfig` writes it for an AKS cluster.",
        )
    if "exec" in entry and (wrong := _wrong_in_login(entry["exec"])):
        raise UsageError(
            f"{wrong} of user {name!r} in the kubeconfig {where} is not as a login command has it",
            todo="`exec` has command: text, args: a list of text, env: a list of {name: text, value: text}.",
        )


def _wrong_in_login(login: object) -> str:
    """The key that the library would stumble over, and then print the whole user; "" where there is none."""
    if not isinstance(login, Mapping):
        return "exec"
    if not isinstance(login.get("command"), str):
        return "exec.command"
    arguments, variables = login.get("args") or [], login.get("env") or []
    if not isinstance(arguments, list) or not all(isinstance(one, str) for one in arguments):
        return "exec.args"
    if not isinstance(variables, list) or not all(
        isinstance(one, Mapping) and isinstance(one.get("name"), str) and isinstance(one.get("value"), str)
        for one in variables
    ):
        return "exec.env"
    return ""


def _check_files(entry: Mapping[str, Any], kind: str, of: str) -> None:
    """One that is missing is told later. To read a pipe may take for ever, and a device has no end."""
    for key in FILES[kind]:
        file = Path(entry.get(key) or "")
        if file.is_absolute() and file.exists() and not file.is_file():
            raise UsageError(f"{key} of {of} is no ordinary file: {file}", todo="Write its content to a file.")


def _check_addresses(cluster: Mapping[str, Any], name: object, where: object) -> None:
    """One that is missing is told later."""
    server, tls_name = cluster.get("server") or "", cluster.get("tls-server-name") or ""
    if server and not _is_address(server if "://" in server else f"https://{server}"):
        raise UsageError(
            f"the server of cluster {name!r} in the kubeconfig {where} is no address",
            todo="Write it as https://host:port.",
        )
    if tls_name and not _is_host(tls_name):
        raise UsageError(
            f"tls-server-name of cluster {name!r} in the kubeconfig {where} is no name",
            todo="Write a name that the API server's certificate has.",
        )


def _is_address(server: str) -> bool:
    """Whether it can be asked, which is not to say that it leads anywhere. The library knows a scheme in small letters
    alone.
    """
    try:
        address = urlsplit(server)
        _ = address.port
    except ValueError:
        return False
    return server.startswith(("https://", "http://")) and _is_host(address.hostname or "")


def _is_host(name: str) -> bool:
    try:
        return bool(name.encode("idna").strip(b".")) and name.isprintable()
    except UnicodeError:
        return False


def _context(config: Mapping[str, Any], context: str | None, where: object) -> Mapping[str, Any]:
    return _entry(config, "context", config.get("current-context") if context is None else context, where)


def _entry(config: Mapping[str, Any], kind: str, name: object, where: object) -> Mapping[str, Any]:
    for item in config.get(f"{kind}s") or ():
        if item.value.get("name") == name:
            found = item.value.get(kind)
            if not isinstance(found, Mapping | None):
                raise UsageError(
                    f"{kind} {name!r} in the kubeconfig {where} is no map of keys and values",
                    todo="`kubectl config view` shows what one has.",
                )
            return found or {}
    return {}
