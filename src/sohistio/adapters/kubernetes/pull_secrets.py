"""Adapter: the pull Secrets of namespaces, looked at and written."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from sohistio.adapters.kubernetes.api import KubeApi
from sohistio.adapters.kubernetes.paths import path_of
from sohistio.model.pull_secrets import ObservedPullSecret, PullCredential, PullSecretState
from sohistio.model.state import ObjectRef
from sohistio.plan.ownership import OWN_MANAGER
from sohistio.system.parallel import side_by_side


def pull_secrets(api: KubeApi, refs: Sequence[ObjectRef], credential: PullCredential) -> tuple[ObservedPullSecret, ...]:
    """How each compares with the credential. Raises KubeError where one may not be read."""

    def look(ref: ObjectRef) -> ObservedPullSecret:
        return ObservedPullSecret(ref, credential.state_of(api.get(path_of(ref))))

    return tuple(side_by_side(look, refs))


def write_pull_secrets(
    api: KubeApi, refs: Sequence[ObjectRef], credential: PullCredential
) -> tuple[ObservedPullSecret, ...]:
    """Create or update them; returns how each was found: one that somebody else made meanwhile is left alone.

    Server-side apply asks for the right to create under the Secret's own name, so that a role can give just that.
    Raises KubeError.
    """
    return tuple(side_by_side(partial(_write, api, credential), refs))


def _write(api: KubeApi, credential: PullCredential, ref: ObjectRef) -> ObservedPullSecret:
    found = credential.state_of(api.get(path_of(ref)))
    if found in (PullSecretState.MISSING, PullSecretState.OLD):
        api.apply(path_of(ref), credential.manifest(ref), OWN_MANAGER, force=found is PullSecretState.OLD)
    return ObservedPullSecret(ref, found)
