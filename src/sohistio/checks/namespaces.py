"""Verification of namespaces alone: their injection labels and their pull Secrets. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sohistio.checks.result import CheckResult, failed, passed, warned
from sohistio.model.pull_secrets import ObservedPullSecret, PullSecretState
from sohistio.model.state import ClusterState
from sohistio.model.words import first_names
from sohistio.modes.namespaces import labels_of
from sohistio.modes.namespaces_plan import why_withheld, written_now

LABELS, SECRETS = "namespace-labels", "pull-secrets"
_MOST_NAMED = 5
_AGAIN = "Somebody changed it meanwhile: run `sohistio namespaces apply` again."


def labels_in_place(state: ClusterState, listed: Sequence[str], *, add_only: bool = False) -> Iterator[CheckResult]:
    """Every namespace of the list that is there is labelled, and no other is by sohistio.

    With `add_only` what is left to an install is only named.
    """
    found = labels_of(state, listed)
    now, withheld = written_now(state, found, add_only=add_only), why_withheld(state, found)
    waits = bool(withheld) and not add_only
    if waits:
        yield failed(LABELS, withheld, "Run `sohistio install`: it brings istiod back, and labels them.")
    if now.to_label:
        yield failed(LABELS, f"not labelled: {first_names(now.to_label, _MOST_NAMED)}", _AGAIN)
    if now.to_unlabel:
        yield failed(LABELS, f"still labelled: {first_names(now.to_unlabel, _MOST_NAMED)}", _AGAIN)
    if now.contrary:
        yield failed(LABELS, now.refusal, now.todo)
    if not (waits or now.to_label or now.to_unlabel or now.contrary):
        missing = f" (not there yet: {first_names(now.missing, _MOST_NAMED)})" if now.missing else ""
        names = sorted({*found.to_label, *found.to_unlabel})
        left = f" (left to an install: {first_names(names, _MOST_NAMED)})" if names else ""
        yield passed(LABELS, f"as applicationNamespaces has them{missing}{left}")


def secrets_in_place(secrets: Sequence[ObservedPullSecret]) -> Iterator[CheckResult]:
    """Every pull Secret is as its source has it; nothing where sohistio writes none."""
    wrong = [item.ref for item in secrets if item.state in (PullSecretState.MISSING, PullSecretState.OLD)]
    foreign = [item.ref for item in secrets if item.state is PullSecretState.FOREIGN]
    if wrong:
        yield failed(SECRETS, f"missing or another: {first_names(wrong, _MOST_NAMED)}", _AGAIN)
    if foreign:
        names = first_names(foreign, _MOST_NAMED)
        hint = "Delete it, or label it app.kubernetes.io/managed-by=sohistio: docs/namespaces.md."
        yield warned(SECRETS, f"somebody else's, and differs from the source: {names}", hint)
    if secrets and not wrong and not foreign:
        places = first_names([item.ref.namespace for item in secrets], _MOST_NAMED)
        yield passed(SECRETS, f"{secrets[0].ref.name} is in {places}")
