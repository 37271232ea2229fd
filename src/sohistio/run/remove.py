"""Deletes objects and waits until they are gone."""

from __future__ import annotations

from functools import partial

from sohistio.adapters.kubernetes.api import KubeApi
from sohistio.adapters.kubernetes.paths import path_of
from sohistio.model.state import ObjectRef
from sohistio.model.webhooks import MUTATING, VALIDATING
from sohistio.plan.steps import RemoveObjects
from sohistio.run.gone import await_gone
from sohistio.run.tools import Tools
from sohistio.run.wait import Waiting
from sohistio.system.parallel import side_by_side

# Gone only when their pods are: an istiod that ends slowly would write its elections and ConfigMaps once more.
_WITH_PODS = frozenset({"Deployment", "DaemonSet"})


def remove(tools: Tools, waiting: Waiting, step: RemoveObjects) -> None:
    """Delete what refuses, then what writes, then the rest; each until it is gone: a finalizer may keep it for a while.

    Webhooks first: without an istiod they would refuse everything, should the run be killed here. Raises FailedError
    naming what stays.
    """
    webhooks = [ref for ref in step.objects if ref.kind in (MUTATING, VALIDATING)]
    with_pods = [ref for ref in step.objects if ref.kind in _WITH_PODS]
    rest = [ref for ref in step.objects if ref not in {*webhooks, *with_pods}]
    for refs in (webhooks, with_pods, rest):
        side_by_side(partial(_delete, tools.api), refs)
        await_gone(waiting, refs, tools.component_seconds)


def _delete(api: KubeApi, ref: ObjectRef) -> None:
    api.delete(path_of(ref), with_dependents=ref.kind in _WITH_PODS)
