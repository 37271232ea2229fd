"""`sohistio env diff`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from sohistio.commands.options import Folder, Form

Name = Annotated[str, typer.Argument(help="Name of an environment")]


def diff_environments(one: Name, other: Name, form: Form, environments: Folder = None) -> None:
    """Show how two environments differ in their files. No cluster is asked.

    Exit 0 whether or not they differ.
    """
    from sohistio.environments.load import find_environments_root, load_environment
    from sohistio.failover.sync import differing_keys
    from sohistio.output.documents import print_answer

    root = find_environments_root(environments, Path.cwd())
    left, right = (load_environment(name, root, os.environ) for name in (one, other))
    version = left.istio.version
    found = {
        "environment": differing_keys(left.document(), right.document()),
        "operator": differing_keys(left.operator_for(version), right.operator_for(version)),
    }
    if form.json:
        print_answer("EnvironmentDiff", {"from": one, "to": other} | {key: list(lines) for key, lines in found.items()})
        return
    for title, lines in (("environment.yaml", found["environment"]), ("istiooperator.yaml", found["operator"])):
        if lines:
            typer.echo(f"{title}: {one} → {other}")
        for line in lines:
            typer.echo(f"  {line}")
    if not any(found.values()):
        typer.echo(f"{one} and {other} do not differ.")
