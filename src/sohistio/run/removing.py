"""Deletes objects and waits until they are gone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial

from sohistio.cluster.kube import KubeApi
from sohistio.cluster.paths import path_of
from sohistio.run.installing import until
from sohistio.run.tools import Tools
from sohistio.run.waiting import Waiting
from sohistio.steps import RemoveObjects


def remove(tools: Tools, waiting: Waiting, step: RemoveObjects) -> None:
    """Delete all, then wait for all: a finalizer may keep one for a while. Raises FailedError naming what stays."""
    paths = {ref: path_of(ref) for ref in step.objects}
    with ThreadPoolExecutor(max_workers=8) as pool:
        list(pool.map(tools.api.delete, paths.values()))
    for ref, path in paths.items():
        until(waiting, tools.component_seconds, partial(_is_gone, tools.api, path), f"{ref} is still there")


def _is_gone(api: KubeApi, path: str) -> bool:
    return api.get(path) is None
