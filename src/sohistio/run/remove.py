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

# Gone only when their pods are: a control plane that ends would write its ConfigMaps once more.
_WITH_PODS = frozenset({"Deployment", "DaemonSet"})


def remove(tools: Tools, waiting: Waiting, step: RemoveObjects) -> None:
    """Delete all, webhooks first: without an istiod they would refuse everything, should the run be killed here.

    Then wait for all: a finalizer may keep one for a while. Raises FailedError naming what stays.
    """
    webhooks = [ref for ref in step.objects if ref.kind in (MUTATING, VALIDATING)]
    side_by_side(partial(_delete, tools.api), webhooks)
    side_by_side(partial(_delete, tools.api), [ref for ref in step.objects if ref not in webhooks])
    await_gone(waiting, step.objects, tools.component_seconds)


def _delete(api: KubeApi, ref: ObjectRef) -> None:
    api.delete(path_of(ref), with_dependents=ref.kind in _WITH_PODS)
