"""Waits until what was deleted is gone, and says what holds it where it stays."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from sohistio.adapters.kubernetes.api import KubeApi
from sohistio.adapters.kubernetes.holding import why_still_there
from sohistio.adapters.kubernetes.paths import path_of
from sohistio.model.state import ObjectRef
from sohistio.run.wait import Patience, Waiting

_TODO = (
    "Let what set the finalizers finish; if it does not exist any more, take them off the objects named (never off a "
    "CRD or a namespace, which wait for those). Then run the same command again; where it is only slow, give a longer "
    "--component-timeout."
)


def is_gone(api: KubeApi, ref: ObjectRef) -> bool:
    """Whether there is no such object (any more)."""
    return api.get(path_of(ref)) is None


def await_gone(waiting: Waiting, refs: Sequence[ObjectRef], seconds: float) -> None:
    """Wait for each. Raises FailedError with everything that is still there, and what holds it."""
    for number, ref in enumerate(refs):
        rest = refs[number:]
        patience = Patience(f"{ref} is still there", partial(why_still_there, refs=rest), _TODO)
        waiting.until(seconds, partial(is_gone, waiting.api, ref), patience)
