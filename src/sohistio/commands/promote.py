"""`sohistio promote`."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from sohistio.commands.edited_file import own_root, write_edited
from sohistio.commands.examples import examples
from sohistio.commands.options import (
    AuthKind,
    Folder,
    Form,
    change_option,
    environment_names,
    target_option,
)
from sohistio.model.auth import Auth


@examples(
    "sohistio promote --from qa --to prod",
    "sohistio promote --to prod --write",
)
def promote(
    target: Annotated[
        str,
        target_option(
            "--to", metavar="NAME", autocompletion=environment_names, help="The environment whose file is changed."
        ),
    ],
    form: Form,
    source: Annotated[
        str | None,
        target_option(
            "--from", metavar="NAME", autocompletion=environment_names, help="Default: what promotesFrom says."
        ),
    ] = None,
    soak: Annotated[
        str | None,
        change_option("--soak", metavar="TIME", help="How long it must have run there, such as 3d."),
    ] = None,
    write: Annotated[bool, change_option("--write", help="Write the file, if nothing speaks against it.")] = False,
    environments: Folder = None,
    auth: AuthKind = Auth.AUTO,
) -> None:
    """Propose another environment's version and settings.

    With the evidence. Clusters are only read; nothing is written without --write. Exit 3 where something speaks
    against it.
    """
    from datetime import UTC, datetime
    from pathlib import Path

    from sohistio.commands.requests import seconds
    from sohistio.commands.sessions import session_of
    from sohistio.environments.load import check_name, find_environments_root, load_environment, promotion_chain
    from sohistio.environments.promotion_edit import promotion_edit
    from sohistio.errors import ExitCode, UsageError
    from sohistio.output.promotion_view import Proposal, print_proposal
    from sohistio.planning.promotion import chosen_source
    from sohistio.planning.session import Where
    from sohistio.run.promotion import Promotion, evidence_of

    root = own_root(environments) if write else find_environments_root(environments, Path.cwd())
    least = seconds("--soak", soak)
    load_environment(target, root, os.environ)
    if source is not None:
        check_name(source, root)
    chain = promotion_chain(target, root, os.environ)
    chosen = chosen_source(chain, source)
    edit = promotion_edit(chosen, target, root, os.environ)
    proposal = Proposal(edit, chain)
    if edit.changes:
        one, other = (
            session_of(Where(name, environments, version, auth=auth), one_of_several=True)
            for name, version in ((chosen, None), (target, edit.source.istio.version))
        )
        now = datetime.now(UTC)
        proposal = Proposal(edit, chain, evidence_of(Promotion(one, other, edit, int(least) if least else None, now)))
        if write and not proposal.speaks_against:
            if promotion_edit(chosen, target, root, os.environ) != edit:
                raise UsageError(
                    "the files of the environments were changed meanwhile",
                    todo="Nothing was written. Run the same command again: the evidence is of what they said before.",
                )
            write_edited(edit)
            proposal = Proposal(edit, chain, proposal.checks, written=True)
    print_proposal(proposal, json=form.json)
    raise typer.Exit(ExitCode.REFUSED if proposal.speaks_against else ExitCode.OK)
