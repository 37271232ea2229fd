"""Reads the pull Secrets' source, and how the Secrets in the cluster compare with it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce

from sohistio.adapters.kubernetes.api import KubeApi, KubeError
from sohistio.adapters.kubernetes.paths import path_of
from sohistio.adapters.kubernetes.pull_secrets import pull_secrets
from sohistio.environments.pull_secret import KeyVault, PullSecretSource, Variables
from sohistio.environments.variables import value_in
from sohistio.errors import RefusedError
from sohistio.model.pull_secrets import (
    SOURCE,
    ObservedPullSecret,
    PullCredential,
    config_text,
    of_config,
    of_copy,
    of_pair,
)
from sohistio.model.state import ClusterState, ObjectRef
from sohistio.modes.namespaces import NamespaceLabels, pull_secret_refs
from sohistio.planning.planned import PullSecretsReady
from sohistio.planning.session import Session
from sohistio.system.paths import expanded


@dataclass(frozen=True, slots=True)
class PullSecrets:
    """`seen` are those compared; where that was not possible `unsettled` says why: a plan can do without, a run not."""

    seen: tuple[ObservedPullSecret, ...] = ()
    credential: PullCredential | None = None
    unsettled: RefusedError | None = None

    @property
    def ready(self) -> PullSecretsReady:
        """For a run."""
        return PullSecretsReady(self.credential, self.unsettled)

    @property
    def notices(self) -> tuple[str, ...]:
        """For a plan."""
        if self.unsettled is None:
            return ()
        return (f"pull Secrets are not compared, and a run is refused: {self.unsettled.what}",)


def look_at_pull_secrets(session: Session, state: ClusterState, labels: NamespaceLabels) -> PullSecrets:
    """Compare the pull Secrets with their source: the mesh's, those of gateways' namespaces, and of the namespaces that
    are injected once the labels are as planned. Writes nothing.

    Nothing to do without istio.pullSecretSource: then they are somebody else's business.
    """
    istio = session.environment.istio
    if istio.pull_secret is None or istio.pull_secret_source is None:
        return PullSecrets()
    there = {seen.name for seen in state.namespaces}
    of_gateways = {gateway.namespace for gateway in session.environment.gateways} & there
    refs = pull_secret_refs(istio.pull_secret, sorted({*of_gateways, *labels.injected(state)}))
    try:
        session.api.get(path_of(refs[0]))  # who may not read it is not asked for the password
        credential = _all_logins(session, istio.pull_secret_source)
        return PullSecrets(pull_secrets(session.api, refs, credential), credential)
    except KubeError as error:
        todo = "The role of rbac/installer.yaml has the right." if error.status == 403 else error.todo
        refused = RefusedError("the pull Secrets could not be read", details=(error.what, *error.details), todo=todo)
        return PullSecrets(unsettled=refused)
    except RefusedError as error:
        return PullSecrets(unsettled=error)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A login that is looked for: of which hub, from where, and the environment's key that says so."""

    hub: str
    source: PullSecretSource
    key: str = SOURCE

    @property
    def is_main(self) -> bool:
        """Whether it is that of the environment's hub."""
        return self.key == SOURCE


def _all_logins(session: Session, source: PullSecretSource) -> PullCredential:
    """The hub's login with those of other registries. Raises RefusedError that names each missing one, KubeError."""
    istio = session.environment.istio
    others = sorted(istio.pull_secret_registries.items())
    wanted = [
        _Wanted(istio.hub, source),
        *(_Wanted(host, other, f"istio.pullSecretRegistries[{host}]") for host, other in others),
    ]
    found: list[PullCredential] = []
    missing: list[tuple[_Wanted, RefusedError]] = []
    for one in wanted:
        try:
            found.append(_credential(session, one))
        except RefusedError as error:
            missing.append((one, error))
    if len(missing) == 1:
        raise missing[0][1]
    if missing:
        raise RefusedError(
            f"the logins of {len(missing)} registries cannot be had from where the environment says",
            details=tuple(f"{one.key}: {error.what}" for one, error in missing),
            todo=" ".join(dict.fromkeys(error.todo for _, error in missing)),
        )
    return reduce(PullCredential.with_login, found)


def _credential(session: Session, wanted: _Wanted) -> PullCredential:
    """Raises RefusedError that says what the source lacks, KubeError."""
    source = wanted.source
    if source.variables is not None:
        return _of_variables(wanted, source.variables, os.environ)
    if source.docker_config is not None:
        return of_config(wanted.hub, _file(source.docker_config, wanted.key), source.docker_config, wanted.key)
    if source.secret is not None:
        return _copied(session.api, wanted, source.secret)
    if source.key_vault is None:
        raise AssertionError("a source has one of four")  # pragma: no cover
    return _of_vault(session, wanted, source.key_vault)


def _of_variables(wanted: _Wanted, names: Variables, variables: Mapping[str, str]) -> PullCredential:
    username, password = value_in(variables, names.username), value_in(variables, names.password)
    unset = [name for name, value in ((names.username, username), (names.password, password)) if not value]
    if unset:
        what = f"the variable {unset[0]} is" if len(unset) == 1 else f"the variables {' and '.join(unset)} are"
        raise RefusedError(
            f"{what} not set; {wanted.key} takes the registry's user name and password from there",
            todo="Set it for this process; in a pipeline, map the secret variable under `env:` of the step.",
        )
    return of_pair(wanted.hub, username, password)


def _file(path: str, key: str) -> str:
    try:
        return expanded(path).read_text(encoding="utf-8", errors="replace")
    except (OSError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise RefusedError(
            f"{path} cannot be read: {reason}; {key} takes the registry's password from there",
            todo="Log in to the registry first (`docker login`), or correct the path.",
        ) from error


def _copied(api: KubeApi, wanted: _Wanted, place: str) -> PullCredential:
    ref = ObjectRef("Secret", *place.split("/"))
    try:
        secret = api.get(path_of(ref))
    except KubeError as error:
        todo = f"Ask for the right to get {ref}, which {wanted.key} copies." if error.status == 403 else error.todo
        raise RefusedError(f"{ref} could not be read", details=(error.what, *error.details), todo=todo) from error
    if secret is None:
        raise RefusedError(
            f"{ref} does not exist; {wanted.key} copies it", todo="Create it, or correct the environment."
        )
    if wanted.is_main:
        return of_copy(wanted.hub, secret, str(ref))
    return of_config(wanted.hub, config_text(secret, str(ref), wanted.key), str(ref), wanted.key)


def _of_vault(session: Session, wanted: _Wanted, source: KeyVault) -> PullCredential:
    from sohistio.adapters.azure.key_vault import vault_secret

    value = vault_secret(source.vault, source.secret, session.azure_login().credential())
    origin = f"the secret {source.secret} of {source.vault}"
    if value.lstrip().startswith("{"):
        return of_config(wanted.hub, value, origin, wanted.key)
    username, colon, password = value.strip().partition(":")
    if not (username and colon and password):
        raise RefusedError(
            f"{origin} is neither a docker config nor `username:password`", todo="Correct the secret's value."
        )
    return of_pair(wanted.hub, username, password)
