"""Reads the pull Secrets' source, and how the Secrets in the cluster compare with it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sohistio.adapters.kubernetes.api import KubeApi, KubeError
from sohistio.adapters.kubernetes.paths import path_of
from sohistio.adapters.kubernetes.pull_secrets import pull_secrets
from sohistio.environments.pull_secret import KeyVault, PullSecretSource, Variables
from sohistio.errors import RefusedError
from sohistio.model.pull_secrets import ObservedPullSecret, PullCredential, of_config, of_copy, of_pair
from sohistio.model.state import ObjectRef
from sohistio.modes.namespaces import pull_secret_refs
from sohistio.planning.planned import PullSecretsReady
from sohistio.planning.session import Session

_KEY = "istio.pullSecretSource"
# Where a pipeline's variable has no value, Azure DevOps maps the text `$(name)` itself.
_NOT_SET = re.compile(r"^\$\([^()]*\)$")


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


def look_at_pull_secrets(session: Session, places: Sequence[str]) -> PullSecrets:
    """Compare the pull Secrets of the mesh and of these namespaces with their source. Writes nothing.

    Nothing to do without istio.pullSecretSource: then they are somebody else's business.
    """
    istio = session.environment.istio
    if istio.pull_secret is None or istio.pull_secret_source is None:
        return PullSecrets()
    refs = pull_secret_refs(istio.pull_secret, places)
    try:
        session.api.get(path_of(refs[0]))  # who may not read it is not asked for the password
        credential = _credential(session, istio.hub, istio.pull_secret_source)
        return PullSecrets(pull_secrets(session.api, refs, credential), credential)
    except KubeError as error:
        todo = "The role of rbac/installer.yaml has the right." if error.status == 403 else error.todo
        refused = RefusedError("the pull Secrets could not be read", details=(error.what, *error.details), todo=todo)
        return PullSecrets(unsettled=refused)
    except RefusedError as error:
        return PullSecrets(unsettled=error)


def _credential(session: Session, hub: str, source: PullSecretSource) -> PullCredential:
    """Raises RefusedError that says what the source lacks, KubeError."""
    if source.variables is not None:
        return _of_variables(hub, source.variables, os.environ)
    if source.docker_config is not None:
        return of_config(hub, _file(source.docker_config), source.docker_config)
    if source.secret is not None:
        return _copied(session.api, hub, source.secret)
    if source.key_vault is None:
        raise AssertionError("a source has one of four")  # pragma: no cover
    return _of_vault(session, hub, source.key_vault)


def _of_variables(hub: str, names: Variables, variables: Mapping[str, str]) -> PullCredential:
    unset = [name for name in (names.username, names.password) if not _NOT_SET.sub("", variables.get(name, ""))]
    if unset:
        what = f"the variable {unset[0]} is" if len(unset) == 1 else f"the variables {' and '.join(unset)} are"
        raise RefusedError(
            f"{what} not set; {_KEY} takes the registry's user name and password from there",
            todo="Set it for this process; in a pipeline, map the secret variable under `env:` of the step.",
        )
    return of_pair(hub, variables[names.username], variables[names.password])


def _file(path: str) -> str:
    try:
        return Path(path).expanduser().read_text(encoding="utf-8", errors="replace")
    except (OSError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise RefusedError(
            f"{path} cannot be read: {reason}; {_KEY} takes the registry's password from there",
            todo="Log in to the registry first (`docker login`), or correct the path.",
        ) from error


def _copied(api: KubeApi, hub: str, place: str) -> PullCredential:
    ref = ObjectRef("Secret", *place.split("/"))
    try:
        secret = api.get(path_of(ref))
    except KubeError as error:
        todo = f"Ask for the right to get {ref}, which {_KEY} copies." if error.status == 403 else error.todo
        raise RefusedError(f"{ref} could not be read", details=(error.what, *error.details), todo=todo) from error
    if secret is None:
        raise RefusedError(f"{ref} does not exist; {_KEY} copies it", todo="Create it, or correct the environment.")
    return of_copy(hub, secret, str(ref))


def _of_vault(session: Session, hub: str, source: KeyVault) -> PullCredential:
    from sohistio.adapters.azure.key_vault import vault_secret

    value = vault_secret(source.vault, source.secret, session.azure_login().credential())
    origin = f"the secret {source.secret} of {source.vault}"
    if value.lstrip().startswith("{"):
        return of_config(hub, value, origin)
    username, colon, password = value.strip().partition(":")
    if not (username and colon and password):
        raise RefusedError(
            f"{origin} is neither a docker config nor `username:password`", todo="Correct the secret's value."
        )
    return of_pair(hub, username, password)
