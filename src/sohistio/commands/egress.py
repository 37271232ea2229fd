"""`sohistio egress …`: which external hosts an environment allows. Files only; no cluster is asked."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from sohistio.commands.edited_file import own_root, write_edited
from sohistio.commands.examples import examples
from sohistio.commands.options import Form, Target, change_option
from sohistio.commands.registration import app, register_all, words_of_group
from sohistio.errors import UsageError
from sohistio.model.outside import OutsideProtocol, OutsideTls

if TYPE_CHECKING:
    from sohistio.environments.egress_edit import EgressEdit

_LAST_PORT = 65535


@examples(
    "sohistio egress allow --env qa --host api.example.com --namespace shop",
    "sohistio egress allow --env qa --host db.example.com --port 5432 -n shop",
)
def allow(
    target: Target,
    form: Form,
    host: Annotated[str, change_option("--host", metavar="NAME", help="The external host.")],
    port: Annotated[
        int | None,
        change_option("--port", min=1, max=_LAST_PORT, metavar="PORT", help="Where it listens; default: 443."),
    ] = None,
    namespace: Annotated[
        list[str] | None,
        change_option("--namespace", "-n", metavar="NAME", help="Namespace that may call it (repeatable)."),
    ] = None,
    service_account: Annotated[
        list[str] | None,
        change_option("--service-account", metavar="NS/NAME", help="Only this ServiceAccount (repeatable)."),
    ] = None,
    tls: Annotated[
        OutsideTls | None,
        change_option("--tls", metavar="WHO", help="originate (by the gateway), passthrough or none."),
    ] = None,
    protocol: Annotated[
        OutsideProtocol | None,
        change_option("--protocol", metavar="KIND", help="http or tcp; default: http for 80 and 443."),
    ] = None,
    application_port: Annotated[
        int | None,
        change_option("--application-port", min=1, max=_LAST_PORT, metavar="PORT", help="Where applications call it."),
    ] = None,
    address: Annotated[
        list[str] | None,
        change_option("--address", metavar="IP", help="Its IPv4 address, where DNS is not to be asked (repeatable)."),
    ] = None,
    dry_run: Annotated[bool, change_option("--dry-run", help="Show the diff; write nothing.")] = False,
) -> None:
    """Allow an external host in the environment's file. No cluster is touched.

    Adds to policy.egress.hosts of the environment's own environment.yaml, comments kept, and shows the diff. `sohistio
    plan` then says what it changes, `sohistio install` does it.
    """
    from sohistio.environments.egress_edit import EgressRequest, egress_edit

    if not (namespace or service_account):
        raise UsageError(
            "nobody is said to call the host",
            todo="Give --namespace or --service-account; both can be given several times.",
        )
    root = own_root(target.environments)
    request = EgressRequest(
        host,
        tuple(namespace or ()),
        tuple(service_account or ()),
        port,
        application_port,
        protocol,
        tls,
        tuple(address or ()),
    )
    edit = egress_edit(target.env, root, os.environ, request)
    written = edit.changes and not dry_run
    if written:
        write_edited(edit)
    _show(edit, target.env, form, written=written)


def _show(edit: EgressEdit, environment: str, form: Form, *, written: bool) -> None:
    from sohistio.output.console import say, say_folded
    from sohistio.output.documents import print_answer
    from sohistio.output.file_diff import file_diff

    what = f"{edit.host.host}:{edit.host.port}"
    following = f"sohistio plan --env {environment}" if written else None
    notes = list(edit.notes)
    if written and edit.path.is_symlink():
        notes.append(f"{edit.file} is a link; {edit.path.resolve()} was written.")
    lines = file_diff(edit.file, edit.before, edit.after)
    if form.json:
        answer = {
            "environment": environment,
            "file": edit.file,
            "host": edit.host.host,
            "port": edit.host.port,
            "alreadyAllowed": not edit.changes,
            "written": written,
            "diff": lines,
            "notes": notes,
            "next": following,
        }
        print_answer("EgressAllowed", answer)
        return
    if not edit.changes:
        say_folded(f"{what} is already allowed in {edit.file}; nothing was written.")
        return
    for line in lines:
        say(line)
    say("")
    for note in notes:
        say_folded(f"Note: {note}")
    if following is None:
        say_folded(f"{edit.file} would be changed like this; nothing was written (--dry-run).")
    else:
        say_folded(f"{edit.file} is written. The cluster is as it was. Next: {following}")


def group_for(words: Sequence[str] | None = None) -> typer.Typer:
    """`sohistio egress`, for the words of a command line as `register_all` takes them."""
    group = app(
        help="External hosts that applications may call: allow.",
        examples=["sohistio egress allow --env qa --host api.example.com --namespace shop"],
    )
    commands: dict[str, Callable[..., None]] = {"allow": allow}
    register_all(group, commands, words_of_group(words, "egress"))
    return group
