"""`sohistio images …`: the images that an environment needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import typer

from sohistio.commands.images_mirror import mirror_images
from sohistio.commands.options import Form, Release, Target, Tool
from sohistio.commands.registration import app, register_all


def list_images(target: Target, release: Release, tool: Tool, form: Form) -> None:
    """List the images that a version needs. No cluster is asked.

    They are those of istioctl's manifest and of the pods that its injector changes.
    """
    from sohistio.commands.requests import where_of
    from sohistio.commands.running import session_of
    from sohistio.output.console import console
    from sohistio.output.documents import print_answer
    from sohistio.output.images_view import images_document, images_view
    from sohistio.output.tables import show
    from sohistio.planning.images import listed_images

    session = session_of(where_of(target, release=release, tool=tool))
    images = listed_images(session, session.version)
    name, version = session.environment.name, str(session.version)
    places = (session.environment.images.source, session.environment.istio.hub)
    if form.json:
        print_answer("ImageList", {"environment": name, "version": version, "images": images_document(images)})
    else:
        show(console(), *images_view(images, places, f"{name}, Istio {version}"))


def group_for(words: Sequence[str] | None = None) -> typer.Typer:
    """`sohistio images`, for the words of a command line as `register_all` takes them."""
    group = app(help="Images: list those that a version needs, mirror them.")
    commands: dict[str, Callable[..., None]] = {"list": list_images, "mirror": mirror_images}
    register_all(group, commands, None if words is None else words[1:] if words[:1] == ["images"] else [])
    return group
