"""`sohistio render`."""

from __future__ import annotations

from typing import Annotated

import typer

from sohistio.commands.examples import examples
from sohistio.commands.options import Release, Target, Tool


@examples(
    "sohistio render --env qa",
    "sohistio render --env qa | istioctl manifest generate -f -",
    "sohistio render --env qa --policy",
)
def render(
    target: Target,
    release: Release,
    tool: Tool,
    policy: Annotated[
        bool, typer.Option("--policy", help="Print the objects of the environment's policy in its place.")
    ] = False,
    monitoring: Annotated[
        bool, typer.Option("--monitoring", help="Print the objects of the environment's monitoring in its place.")
    ] = False,
) -> None:
    """Print the IstioOperator that would be applied.

    For a review, or for `istioctl manifest generate -f -`.
    """
    from sohistio.commands.requests import where_of
    from sohistio.commands.sessions import session_of
    from sohistio.output.documents import print_document

    session = session_of(where_of(target, release=release, tool=tool))
    if policy or monitoring:
        from sohistio.environments.yaml_files import to_yaml
        from sohistio.planning.declared_monitoring import declared_monitoring
        from sohistio.planning.policy import declared_policy

        objects = declared_policy(session.environment).wanted.objects if policy else ()
        objects += declared_monitoring(session, None).objects if monitoring else ()
        print_document("---\n".join(to_yaml(obj) for obj in objects))
    else:
        print_document(session.operator_yaml(session.version))
