"""`sohistio bundle`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sohistio.commands.examples import examples
from sohistio.commands.options import Form, Release, Target, output_option


@examples(
    "sohistio bundle --env prod --out prod-bundle.tar",
    "sohistio bundle --env prod --version 1.31.1 --out b.tar --platform linux-amd64",
)
def bundle(
    target: Target,
    release: Release,
    form: Form,
    out: Annotated[Path, output_option("--out", metavar="FILE", help="The bundle; replaced where it is there.")],
    platform: Annotated[
        list[str] | None,
        typer.Option(
            "--platform", metavar="OS-ARCH", help="istioctl for it (repeatable); default: linux-amd64, linux-arm64."
        ),
    ] = None,
) -> None:
    """Pack all that an environment needs from the internet.

    One file with its istioctl, its images, the pins and the environments' files. `--bundle FILE` of install, check,
    images mirror and images check takes them from there.
    """
    from sohistio.commands.requests import where_of
    from sohistio.commands.sessions import session_of
    from sohistio.output.bundle_view import bundle_document, bundle_view
    from sohistio.output.console import console
    from sohistio.output.documents import print_answer
    from sohistio.output.tables import show
    from sohistio.planning.bundle import plan_bundle, platforms_of
    from sohistio.planning.registries import own_sources
    from sohistio.run.bundle import check_out, make_bundle
    from sohistio.system.streams import work_begins

    check_out(out)
    session = session_of(where_of(target, release=release))
    platforms = platforms_of(platform or ())
    with own_sources(session) as sources:
        plan = plan_bundle(session, sources, platforms)
        work_begins()
        contents = make_bundle(session, sources, plan, out)
    if form.json:
        print_answer("BundleMade", bundle_document(plan, contents, out))
    else:
        show(console(), *bundle_view(plan, contents, out))
