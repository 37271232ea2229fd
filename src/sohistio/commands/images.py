"""`sohistio images …`: the images that an environment needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import typer

from sohistio.commands.examples import examples
from sohistio.commands.images_check import check_images
from sohistio.commands.images_mirror import mirror_images
from sohistio.commands.options import Cluster, ComponentLimit, Form, Limit, Release, Skip, Target, Tool, Yes
from sohistio.commands.reason import Reason
from sohistio.commands.registration import app, register_all, words_of_group


@examples(
    "sohistio images list --env qa",
    "sohistio images list --env qa --version 1.31.1 --output json",
)
def list_images(target: Target, release: Release, tool: Tool, form: Form) -> None:
    """List the images that a version needs. No cluster is asked.

    They are those of istioctl's manifest and of the pods that its injector changes.
    """
    from sohistio.commands.requests import where_of
    from sohistio.commands.sessions import session_of
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


@examples(
    "sohistio images prepull --env prod",
    "sohistio images prepull --env prod --version 1.31.1 --yes",
)
def prepull_images(
    target: Target,
    cluster: Cluster,
    release: Release,
    tool: Tool,
    skip: Skip,
    yes: Yes,
    reason: Reason,
    component: ComponentLimit,
    limit: Limit,
    form: Form,
) -> None:
    """Have every node pull the images before they are needed.

    A DaemonSet does it, which is deleted at the end. Nothing waits for a registry later.
    """
    from sohistio.commands.requests import approval_of, timeouts_of, where_of
    from sohistio.commands.running import planned_run
    from sohistio.planning.prepull import plan_prepull

    how = (approval_of(yes), timeouts_of(component, limit))
    where = where_of(target, cluster, release=release, tool=tool, skip=skip, reason=reason)
    raise typer.Exit(planned_run(where, plan_prepull, how, json=form.json))


def group_for(words: Sequence[str] | None = None) -> typer.Typer:
    """`sohistio images`, for the words of a command line as `register_all` takes them."""
    group = app(
        help="Images that a version needs: list, check, mirror, prepull.",
        examples=["sohistio images list --env qa", "sohistio images mirror --env qa --yes"],
    )
    commands: dict[str, Callable[..., None]] = {
        "list": list_images,
        "check": check_images,
        "mirror": mirror_images,
        "prepull": prepull_images,
    }
    register_all(group, commands, words_of_group(words, "images"))
    return group
