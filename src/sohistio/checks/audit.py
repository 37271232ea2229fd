"""Verification of stage audit: what policies in dry run would have refused in the last day. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sohistio.checks.result import CheckResult, passed, warned
from sohistio.model.traffic import DryRun
from sohistio.model.words import first_names

NAME = "policy-audit"
TODO = "Add a rule for them to the policy, or tell their owners; set policy.stage enforce when nothing is left."
_UNKNOWN = (
    "Set monitoring.prometheusURL. Without it: with policy.telemetry.accessLog json each request has dry_run_result."
)
_MOST = 6


def audited(found: Sequence[DryRun] | None) -> Iterator[CheckResult]:
    """One result for each place in which requests would have been refused; None where no Prometheus can be asked."""
    if found is None:
        yield warned(NAME, "not known what the policy would have refused: no Prometheus is named", _UNKNOWN)
        return
    if not found:
        yield passed(NAME, "the policy's dry run would have refused nothing in the last day")
    for place in sorted({item.where for item in found}):
        listeners = [
            f"{item.count} at {item.listener or 'a port without HTTP'}" for item in found if item.where == place
        ]
        message = f"{place or 'a proxy'}: would have been refused in the last day: {first_names(listeners, _MOST)}"
        yield warned(NAME, message, TODO)


def not_audited(why: str, todo: str) -> CheckResult:
    """Where Prometheus gave no answer."""
    return warned(NAME, f"not known what the policy would have refused: {why}", todo)
