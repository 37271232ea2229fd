"""A check of what an install would keep, and what is about to vanish."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sohistio.checks.preflight.check import Good, Verdict
from sohistio.checks.preflight.context import Context
from sohistio.model.ending import TODO, is_definition, sentence
from sohistio.model.fault import Fault, Severity
from sohistio.model.state import Ending


def being_deleted(context: Context) -> Iterator[Verdict]:
    """No CRD of Istio, and none of its custom resources, has been deleted and hangs on a finalizer."""
    yield verdict(context.state.ending)


def verdict(found: Sequence[Ending]) -> Verdict:
    """A CRD stops an install: it would take the CRD for its own, and lose it. One resource is its owner's business."""
    if not found:
        return Good("none of Istio's")
    severity = Severity.ERROR if any(map(is_definition, found)) else Severity.WARNING
    return Fault(sentence(found), TODO, severity)
