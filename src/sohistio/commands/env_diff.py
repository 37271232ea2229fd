"""`sohistio env diff`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from sohistio.commands.examples import examples
from sohistio.commands.options import Folder, Form, output_option

Name = Annotated[str, typer.Argument(help="Name of an environment")]


@examples(
    "sohistio env diff prod dr",
    "sohistio env diff qa prod --output json",
)
def diff_environments(
    one: Name,
    other: Name,
    form: Form,
    environments: Folder = None,
    full: Annotated[bool, output_option("--full", help="Long values are not folded.")] = False,
) -> None:
    """Show how two environments differ in their files. No cluster is asked.

    Key by key, as they are in force: environment.yaml, and the IstioOperator that istioctl would get. Exit 0 whether or
    not they differ.
    """
    from sohistio.environments.load import find_environments_root, load_environment
    from sohistio.output.console import say_folded
    from sohistio.output.documents import print_answer
    from sohistio.plan.drift.fields import value_changes
    from sohistio.plan.drift.folded import diff_lines

    root = find_environments_root(environments, Path.cwd())
    left, right = (load_environment(name, root, os.environ) for name in (one, other))
    found = {
        "environment.yaml": value_changes(left.document(), right.document()),
        "istiooperator.yaml": value_changes(left.operator_for(), right.operator_for()),
    }
    if form.json:
        differences = [
            {"file": file, "path": field.path, "before": field.before, "after": field.after}
            for file, fields in found.items()
            for field in fields
        ]
        print_answer("EnvironmentDiff", {"from": one, "to": other, "differences": differences})
        return
    for file, fields in found.items():
        noun = "difference" if len(fields) == 1 else "differences"
        say_folded(f"{file}, {one} → {other}: {len(fields) or 'no'} {noun}")
        for line in diff_lines(fields, full=full):
            say_folded(f"  {line}")
