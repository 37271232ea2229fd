"""One more external host, or caller of one, in an environment's file: what that would be. Nothing is written here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sohistio.environments.file_edit import FileEdit
from sohistio.environments.layers import merge
from sohistio.environments.load import BASE, FILE, Environment, load_environment, shown
from sohistio.environments.yaml_edit import NotEditableError, content_of, with_list
from sohistio.environments.yaml_files import to_yaml
from sohistio.errors import UsageError
from sohistio.model.outside import OutsideProtocol, OutsideTls
from sohistio.model.policy_traffic import ExternalHost
from sohistio.model.words import counted
from sohistio.system.replaced_file import exact_text

_KEY = ("policy", "egress", "hosts")
_DEFAULT_PORT = 443


@dataclass(frozen=True, slots=True)
class EgressRequest:
    """Who may call which external host. What is None is left to what the host has, or to the defaults."""

    host: str
    namespaces: tuple[str, ...] = ()
    service_accounts: tuple[str, ...] = ()
    port: int | None = None
    application_port: int | None = None
    protocol: OutsideProtocol | None = None
    tls: OutsideTls | None = None
    addresses: tuple[str, ...] = ()

    def entry(self) -> dict[str, Any]:
        """As an item of `policy.egress.hosts`."""
        entry: dict[str, Any] = {"host": self.host, "port": self.port or _DEFAULT_PORT}
        for key, value in (("applicationPort", self.application_port), ("protocol", self.protocol), ("tls", self.tls)):
            if value is not None:
                entry[key] = value if isinstance(value, int) else value.value
        for key, names in (
            ("namespaces", self.namespaces),
            ("serviceAccounts", self.service_accounts),
            ("addresses", self.addresses),
        ):
            if names:
                entry[key] = list(dict.fromkeys(names))
        return entry


@dataclass(frozen=True, slots=True)
class EgressEdit(FileEdit):
    """A file's text before and after; both are the same where all of it is allowed already.

    `host` is the host as declared, with its defaults; `notes` is what else a person should know, a sentence each.
    """

    host: ExternalHost
    notes: tuple[str, ...] = ()


def egress_edit(name: str, root: Path, variables: Mapping[str, str], request: EgressRequest) -> EgressEdit:
    """What allows it in the environment `name`. Only the environment's own file is changed.

    Raises UsageError: for an environment that is not valid, or would not be; where the host is declared otherwise; and
    for a file that cannot be edited without a loss.
    """
    before = load_environment(name, root, variables)
    path, file = root / name / FILE, shown(root / name / FILE)
    text = exact_text(path)
    own, base = content_of(text), content_of(exact_text(root / BASE / FILE))
    entries = _at(merge(base, own))
    declared = before.mesh_policy().egress
    hosts = declared.hosts if declared else ()
    found = next((index for index, host in enumerate(hosts) if host.host == request.host), None)
    if found is not None:
        _check_same(hosts[found], request, file if _at(own) else shown(root / BASE / FILE))
        extended = _extended(entries[found], hosts[found], request)
        if extended == entries[found]:
            return EgressEdit(path, file, text, text, hosts[found])
        wanted = [*entries[:found], extended, *entries[found + 1 :]]
    else:
        wanted = [*entries, request.entry()]
    after_text = _edited(text, wanted, file)
    after = load_environment(name, root, variables, {path: after_text})
    _check_nothing_else(before, after, file)
    egress = after.mesh_policy().egress
    host = next(host for host in (egress.hosts if egress else ()) if host.host == request.host)
    inherited = len(entries) if entries and not _at(own) else 0
    notes = _notes(before, after, host, request)
    if inherited:
        from_base = f"{shown(root / BASE / FILE)} has {counted(inherited, 'host')}"
        notes = (
            f"{from_base}. Lists replace, so {file} has all of them now: changes of that list no longer reach {name}.",
            *notes,
        )
    return EgressEdit(path, file, text, after_text, host, notes)


def _at(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    found: Any = content
    for key in _KEY:
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, list) else []


def _check_same(host: ExternalHost, request: EgressRequest, file: str) -> None:
    for flag, asked, has in (
        ("--port", request.port, host.port),
        ("--application-port", request.application_port, host.application_port),
        ("--protocol", request.protocol, host.protocol),
        ("--tls", request.tls, host.tls),
        ("--address", _listed(request.addresses), _listed(host.addresses)),
    ):
        if asked is not None and asked != has:
            name = flag.removeprefix("--").replace("-", " ")
            give = f"give {flag} {has} or leave it out" if has else f"leave {flag} out"
            raise UsageError(
                f"{host.host} is declared already, with {name} {has or '(none)'}, not {asked}",
                todo=f"A host is declared once: {give}, or change it in {file}.",
            )


def _listed(addresses: Sequence[str]) -> str | None:
    return ", ".join(sorted(addresses)) or None


def _extended(entry: Mapping[str, Any], host: ExternalHost, request: EgressRequest) -> dict[str, Any]:
    """With the callers that are not allowed yet; a ServiceAccount is, where its namespace is."""
    namespaces = [item for item in dict.fromkeys(request.namespaces) if item not in host.namespaces]
    accounts = [
        item
        for item in dict.fromkeys(request.service_accounts)
        if item not in host.service_accounts and item.partition("/")[0] not in host.namespaces
    ]
    extended = dict(entry)
    for key, names in (("namespaces", namespaces), ("serviceAccounts", accounts)):
        if names:
            extended[key] = [*extended.get(key, []), *names]
    return extended


def _edited(text: str, wanted: Sequence[Mapping[str, Any]], file: str) -> str:
    try:
        return with_list(text, _KEY, wanted)
    except NotEditableError as error:
        by_hand = to_yaml({"policy": {"egress": {"hosts": [dict(item) for item in wanted]}}})
        raise UsageError(
            f"{file} cannot be edited: {error}",
            details=tuple(by_hand.splitlines()),
            todo="Nothing was written. Change the list by hand; the lines above are what it should be.",
        ) from error


def _check_nothing_else(before: Environment, after: Environment, file: str) -> None:
    """An empty `policy:` or `egress:` switches base's off: a key below it would switch all of that on again."""
    old, new = before.mesh_policy(), after.mesh_policy()
    same_mode = old.egress is None or new.egress is None or old.egress.registry_only == new.egress.registry_only
    if replace(old, egress=None) != replace(new, egress=None) or not same_mode:
        raise UsageError(
            f"{file} switches the policy of {BASE}/{FILE} off, and a host in it would switch that on again",
            todo="Nothing was written. Say by hand what of the policy this environment has.",
        )


def _notes(before: Environment, after: Environment, host: ExternalHost, request: EgressRequest) -> tuple[str, ...]:
    notes = []
    if before.mesh_policy().egress is None and after.mesh_policy().registry_only:
        notes.append(
            "This is the first key of policy.egress: its mode is registryOnly, so the next install closes every "
            "external host that is not declared. `mode: allowAny` below policy.egress leaves them open."
        )
    covered = [item for item in request.service_accounts if item.partition("/")[0] in host.namespaces]
    if covered:
        notes.append(
            f"All of namespace {covered[0].partition('/')[0]} may call it, not only {covered[0]}: `namespaces` allows "
            "every ServiceAccount of it."
        )
    if host.application_port != host.port:
        scheme = "http://" if host.protocol is OutsideProtocol.HTTP else ""
        way = ", which speaks TLS to" if host.tls is OutsideTls.ORIGINATE else " to"
        notes.append(
            f"Applications call {scheme}{host.host}:{host.application_port}; it goes through the egress gateway{way} "
            f"port {host.port}."
        )
    return tuple(notes)
