"""What a step works with, where it needs no istioctl."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sohistio.adapters.kubernetes.api import KubeApi
from sohistio.model.kube_target import KubeTarget
from sohistio.run.tools import Before, IstioctlRuns, RestartSettings, Tools


def tools_of(api: KubeApi, folder: Path) -> Tools:
    """Of environment dr; asking for an istioctl fails."""

    def no_istioctl(version: Any) -> Any:
        raise AssertionError(version)

    istioctl = IstioctlRuns(no_istioctl, KubeTarget(None, "test"), folder / "log")
    return Tools("dr", api, istioctl, {}, 5, RestartSettings(1, 1, 5), folder / "backup", Before())
