"""Carries out what comes before the mesh: its namespace, pull Secrets, and the injection labels of namespaces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from sohistio.adapters.kubernetes.api import KubeError
from sohistio.adapters.kubernetes.istio_namespace import ensure_namespace
from sohistio.adapters.kubernetes.observe import observe
from sohistio.adapters.kubernetes.paths import path_of
from sohistio.adapters.kubernetes.pull_secrets import pull_secrets, write_pull_secrets
from sohistio.checks.namespaces import labels_in_place, secrets_in_place
from sohistio.checks.result import CheckResult
from sohistio.errors import FailedError
from sohistio.model.pull_secrets import PullSecretState
from sohistio.model.state import ObjectRef
from sohistio.plan.namespace_steps import (
    LabelNamespaces,
    MakeNamespace,
    NamespaceStep,
    UnlabelNamespaces,
    VerifyNamespaces,
    WritePullSecrets,
)
from sohistio.run.tools import Tools
from sohistio.run.wait import Waiting

_INJECTION = "istio-injection"


def prepare_namespaces(tools: Tools, waiting: Waiting, step: NamespaceStep) -> None:
    """One step of the phase. Raises KubeError, FailedError."""
    match step:
        case MakeNamespace():
            ensure_namespace(tools.api)
        case WritePullSecrets():
            _write(tools, waiting, step)
        case LabelNamespaces():
            _label(tools, waiting, step.objects, "enabled")
        case UnlabelNamespaces():
            _label(tools, waiting, step.objects, None)
        case _:
            assert_never(step)


def verify_namespaces(tools: Tools, step: VerifyNamespaces) -> tuple[CheckResult, ...]:
    """Look at labels and pull Secrets again. Raises FailedError where they cannot be read, KubeError."""
    state = observe(tools.api)
    if state.unreadable:
        again = "What is done stays done: run it again once the cluster can be read."
        raise FailedError("the namespaces could not be looked at again", details=state.unreadable, todo=again)
    seen = pull_secrets(tools.api, step.secrets, tools.pull_credential) if tools.pull_credential else ()
    return (*labels_in_place(state, step.listed, add_only=step.add_only), *secrets_in_place(seen))


def _write(tools: Tools, waiting: Waiting, step: WritePullSecrets) -> None:
    if tools.pull_credential is None:
        raise FailedError("the run has no credential for the pull Secrets", todo="Plan again: `sohistio install`.")
    for item in write_pull_secrets(tools.api, step.objects, tools.pull_credential):
        if item.state is PullSecretState.FOREIGN:
            waiting.observer.note(f"{item.ref} is somebody else's by now: left alone")


def _label(tools: Tools, waiting: Waiting, namespaces: Sequence[ObjectRef], value: str | None) -> None:
    for ref in namespaces:
        try:
            tools.api.merge_patch(path_of(ref), {"metadata": {"labels": {_INJECTION: value}}})
        except KubeError as error:
            if error.status != 404:
                raise
            waiting.observer.note(f"{ref} is gone by now")
