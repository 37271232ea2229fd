"""Environments of a test's own: a copy of the shipped ones whose `local` has other keys."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from sandboxes import CHECKOUT


def with_pod_labels(flags: tuple[str, ...], gateways: Mapping[str, str], **labels: str) -> tuple[str, ...]:
    """The same environment, whose gateways (component list → name) have these labels on their pods."""
    patches = [{"path": f"spec.template.metadata.labels.{key}", "value": value} for key, value in labels.items()]
    lists = {
        kind: [
            {
                "name": name,
                "k8s": {
                    "overlays": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": name, "patches": patches}]
                },
            }
        ]
        for kind, name in gateways.items()
    }
    overlay = {"apiVersion": "install.istio.io/v1alpha1", "kind": "IstioOperator", "spec": {"components": lists}}
    (Path(flags[-1]) / flags[1] / "istiooperator.yaml").write_text(json.dumps(overlay))
    return flags


def own_environments(folder: Path, **changes: Any) -> tuple[str, ...]:
    """The flags that choose them; keys of `istio` are laid over the shipped ones, all others replace them."""
    copy = shutil.copytree(CHECKOUT / "environments", folder / f"environments-{len(list(folder.iterdir()))}")
    file = copy / "local" / "environment.yaml"
    shipped = yaml.safe_load(file.read_text())
    changes["istio"] = shipped["istio"] | changes.get("istio", {})
    file.write_text(yaml.safe_dump(shipped | changes))
    return ("--env", "local", "--environments", str(copy))
