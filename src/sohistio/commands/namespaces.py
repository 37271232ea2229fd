"""`sohistio namespaces …`: what an environment's namespaces need before the mesh, or beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated

import typer

from sohistio.commands.examples import examples
from sohistio.commands.options import Cluster, Confirm, Form, Limit, Skip, Target, Yes, change_option
from sohistio.commands.reason import Reason
from sohistio.commands.registration import app, register_all, words_of_group


@examples(
    "sohistio namespaces apply --env qa",
    "sohistio namespaces apply --env qa --yes --output json",
    "sohistio namespaces apply --env qa --add-only   # before an approved plan",
)
def apply_namespaces(
    target: Target,
    cluster: Cluster,
    skip: Skip,
    yes: Yes,
    confirm: Confirm,
    limit: Limit,
    reason: Reason,
    form: Form,
    add_only: Annotated[
        bool, change_option("--add-only", help="Leave to an install what takes away, or waits for istiod.")
    ] = False,
) -> None:
    """Prepare namespaces: istio-system, injection labels, pull Secrets.

    The same as an install does about them, and nothing else: no version of Istio is needed, and none is touched. Taking
    injection away from a namespace needs approval; --add-only leaves it to an install.
    """
    from sohistio.commands.requests import approval_of, timeouts_of, where_of
    from sohistio.commands.running import planned_run
    from sohistio.planning.namespaces import plan_namespaces

    how = (approval_of(yes, confirm), timeouts_of(None, limit))
    where = where_of(target, cluster, skip=skip, reason=reason)
    raise typer.Exit(planned_run(where, partial(plan_namespaces, add_only=add_only), how, json=form.json))


def group_for(words: Sequence[str] | None = None) -> typer.Typer:
    """`sohistio namespaces`, for the words of a command line as `register_all` takes them."""
    group = app(
        help="istio-system, injection labels, pull Secrets: apply.",
        examples=["sohistio namespaces apply --env qa"],
    )
    commands: dict[str, Callable[..., None]] = {"apply": apply_namespaces}
    register_all(group, commands, words_of_group(words, "namespaces"))
    return group
