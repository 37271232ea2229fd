"""`sohistio render`."""

from __future__ import annotations

from sohistio.commands.options import Release, Target, Tool


def render(target: Target, release: Release, tool: Tool) -> None:
    """Print the IstioOperator that would be applied.

    For a review, or for `istioctl manifest generate -f -`.
    """
    from sohistio.commands.requests import where_of
    from sohistio.commands.running import session_of
    from sohistio.output.documents import print_document

    session = session_of(where_of(target, release=release, tool=tool))
    print_document(session.operator_yaml(session.version))
