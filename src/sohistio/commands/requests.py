"""What the groups of options say together: where, what, how long, with whose approval."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sohistio.commands.options import (
    BackupContent,
    Cluster,
    ComponentLimit,
    Confirm,
    Limit,
    Release,
    RequestedMode,
    Route,
    Skip,
    Target,
    Tool,
    Yes,
)

if TYPE_CHECKING:
    from sohistio.commands.reason import Reason
    from sohistio.commands.restart_options import AsOf, RestartShare
    from sohistio.modes.install_plan import Request
    from sohistio.planning.session import Where
    from sohistio.run.approval import Approval
    from sohistio.run.tools import Timeouts


def where_of(
    target: Target,
    cluster: Cluster | None = None,
    *,
    release: Release | None = None,
    tool: Tool | None = None,
    skip: Skip | None = None,
    reason: Reason | None = None,
) -> Where:
    """What the command line says of the environment and its cluster. Raises UsageError."""
    from sohistio.model.cause import Cause
    from sohistio.model.versions import Version
    from sohistio.output.devops.agent import asked_about
    from sohistio.planning.session import Where

    asked_about(target.env)
    cluster, version = cluster or Cluster(), release.version if release else None
    skipped: frozenset[str] = frozenset()
    if skip and skip.skip_check:
        from sohistio.checks.preflight.registry import check_names

        skipped = check_names(skip.skip_check)
    return Where(
        target.env,
        target.environments,
        Version.parse(version) if version is not None else None,
        cluster.kubeconfig,
        cluster.context,
        tool.istioctl if tool else None,
        cluster.auth,
        skipped,
        tool.bundle if tool else None,
        reason.cause if reason else Cause(),
    )


def request_of(
    route: Route,
    skip: Skip,
    backup: BackupContent | None = None,
    portion: RestartShare | None = None,
    as_of: AsOf | None = None,
) -> Request:
    """What the command line asks of the plan. The checks are known ones: `where_of` sees to it. Raises UsageError."""
    from sohistio.model.mode import Mode
    from sohistio.model.versions import Version
    from sohistio.modes.install_plan import Request

    between = tuple(Version.parse(text) for text in route.via or ())
    asked = None if route.mode is RequestedMode.AUTO else Mode(route.mode.value)
    include_ca = backup.include_ca if backup else False
    share = portion.share if portion else None
    at = as_of.moment if as_of else None
    return Request(asked, between, frozenset(skip.skip_check or ()), include_ca, share, at)


def approval_of(yes: Yes, confirm: Confirm | None = None) -> Approval:
    """What the command line approves."""
    from sohistio.run.approval import Approval

    return Approval(yes.yes, confirm.confirm if confirm else None)


def timeouts_of(component: ComponentLimit | None, total: Limit) -> Timeouts:
    """Read `--component-timeout` and `--timeout`. Raises UsageError."""
    from sohistio.run.tools import Timeouts

    each = component.component_timeout if component else None
    return Timeouts(seconds("--component-timeout", each), seconds("--timeout", total.timeout))


def seconds(flag: str, text: str | None) -> float | None:
    """The seconds of a duration that a flag gives, None where it gives none. Raises UsageError."""
    from sohistio.errors import UsageError
    from sohistio.model.durations import seconds_of

    if text is None:
        return None
    variable = f"SOHISTIO_{flag.removeprefix('--').replace('-', '_').upper()}"
    if os.environ.get(variable) == text:
        flag = variable
    try:
        return float(seconds_of(text))
    except ValueError as error:
        what = str(error) if str(error).startswith("too long") else "not a duration"
        raise UsageError(f"{flag} {text!r} is {what}", todo="Give one such as 90s, 5m, 1h or 30d.") from error
