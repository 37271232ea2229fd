"""Verification after an uninstall, as named checks. Pure: what is seen × what was planned → results."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sohistio.checks.result import CheckResult, Result
from sohistio.model.ending import TODO, how_lost, sentence
from sohistio.model.fault import Severity
from sohistio.model.footprint import Footprint
from sohistio.model.state import ClusterState, Ending, ObjectRef
from sohistio.plan.steps import VerifyGone
from sohistio.postinstall import partings

_WEBHOOKS = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
_AGAIN = "Run `sohistio uninstall` again: it takes what is left."


@dataclass(frozen=True, slots=True)
class Remains:
    """What is observed after an uninstall, and what it was asked to do. `…_before` is of before the run.

    `ending` are CRDs and custom resources that are being deleted. `approved` are the workloads whose sidecars the plan
    was to take out: none of them may be left.
    """

    step: VerifyGone
    state: ClusterState
    footprint: Footprint
    ca_before: str = ""
    resources_before: Mapping[ObjectRef, str] = field(default_factory=dict)
    resources_after: Mapping[ObjectRef, str] = field(default_factory=dict)
    ending: tuple[Ending, ...] = ()
    approved: Collection[ObjectRef] = ()


def verify_remains(remains: Remains) -> tuple[CheckResult, ...]:
    """Every check, in order."""
    return tuple(result for check in _CHECKS for result in check(remains))


def _istiod(remains: Remains) -> Iterator[CheckResult]:
    left = [str(istiod.ref) for istiod in remains.state.istiods]
    yield _holds("istiod-gone", not left, "no istiod", f"still there: {', '.join(left)}", _AGAIN)


def _webhooks(remains: Remains) -> Iterator[CheckResult]:
    left = [str(item.ref) for item in remains.footprint.objects if item.ref.kind in _WEBHOOKS]
    hint = f"While one is left and istiod is gone, no pod starts in its namespaces. {_AGAIN}"
    yield _holds("webhooks-gone", not left, "no webhook of a mesh", f"still there: {', '.join(left)}", hint)


def _leftovers(remains: Remains) -> Iterator[CheckResult]:
    footprint = remains.footprint
    left = [str(item.ref) for item in footprint.objects if item.ref.kind not in _WEBHOOKS]
    left += [str(ref) for ref in footprint.certificates]
    good = "no other object of a mesh, and no root certificate in any namespace"
    yield _holds("leftovers-gone", not left, good, f"still there: {', '.join(left)}", _AGAIN)


def _sidecars(remains: Remains) -> Iterator[CheckResult]:
    to_restart, left = partings(remains.state)
    for workload in to_restart:
        message = f"{workload.ref}: {len(workload.pods)} running pods with a proxy and no control plane"
        severity = Severity.ERROR if workload.ref in remains.approved else Severity.WARNING
        hint = "Give --with-sidecars --restart-workloads, or restart it yourself."
        yield CheckResult("sidecars-gone", severity, Result.FAILED, message, hint)
    for item in left:
        message = f"{item.ref} has a proxy and no control plane; left alone: {item.reason}"
        hint = "Restart or delete it yourself when it suits."
        yield CheckResult("sidecars-gone", Severity.WARNING, Result.FAILED, message, hint)
    if not to_restart and not left:
        yield _holds("sidecars-gone", True, "no running pod has a proxy")


def _purged(remains: Remains) -> Iterator[CheckResult]:
    if not remains.step.purged:
        return
    footprint = remains.footprint
    left = [str(ref) for ref in (*footprint.crds, *footprint.ca_secrets)]
    left += ["the namespace"] if footprint.namespace else []
    yield _holds("purged", not left, "no CRD, no CA, no namespace", f"still there: {', '.join(left)}", _AGAIN)


def _kept(remains: Remains) -> Iterator[CheckResult]:
    if not remains.step.kept:
        return
    footprint = remains.footprint
    seen = {*footprint.crds, *footprint.ca_secrets}
    lost = [f"{ref} is gone" for ref in remains.step.kept if ref not in seen and ref.kind != "Namespace"]
    lost += [] if footprint.namespace else ["the namespace is gone"]
    before, after = remains.resources_before, remains.resources_after
    lost += [f"{ref} {how_lost(ref, remains.ending)}" for ref in before if ref not in after]
    lost += [f"{ref} changed" for ref, digest in before.items() if after.get(ref, digest) != digest]
    staying = set(footprint.crds) - {item.ref for item in remains.ending}
    parts = [f"{len(staying)} CRDs", f"{len(after)} custom resources"]
    parts += [f"Secret {ref.name}" for ref in footprint.ca_secrets]
    good = f"as before: {', '.join(parts)}, namespace and record"
    yield _holds("resources-kept", not lost, good, ", ".join(lost), "Look who changed them while the run worked.")
    if remains.ending:
        yield CheckResult("being-deleted", Severity.WARNING, Result.FAILED, sentence(remains.ending), TODO)


def _authority(remains: Remains) -> Iterator[CheckResult]:
    before, now = remains.ca_before, remains.footprint.ca_root
    if not remains.step.kept or not before or not remains.footprint.ca_secrets:
        return
    hint = "The next mesh will have another root: restore istio-ca-secret or cacerts before you install."
    changed = f"the root certificate changed from {before[:12]} to {now[:12] or 'none'}"
    yield _holds("ca-unchanged", now == before, f"root certificate {before[:12]} as before", changed, hint)


def _holds(name: str, holds: bool, good: str, bad: str = "", hint: str = "") -> CheckResult:
    result = Result.PASSED if holds else Result.FAILED
    return CheckResult(name, Severity.ERROR, result, good if holds else bad, "" if holds else hint)


_CHECKS: Sequence[Callable[[Remains], Iterator[CheckResult]]] = (
    _istiod,
    _webhooks,
    _leftovers,
    _sidecars,
    _purged,
    _kept,
    _authority,
)
