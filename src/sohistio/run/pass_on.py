"""istioctl as a person asks for it: the pinned one, on the environment's cluster, and nothing that changes the mesh."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import dropwhile, takewhile

from sohistio.errors import RefusedError, UsageError
from sohistio.model.nearest import did_you_mean
from sohistio.planning.session import Session
from sohistio.system.command_line import before_dashes
from sohistio.system.passed_on import pass_on

_HELP = ("-h", "--help")
_EXPERIMENTAL = ("experimental", "exp", "x")
_INSTALL = "`sohistio plan --env {env}` shows what is to be done, `sohistio install --env {env}` does it."
_UNINSTALL = "Use `sohistio uninstall --env {env}`."
_BY_HAND = "Use istioctl itself for it; `sohistio login --env {env}` adds the cluster to your kubeconfig."
# istioctl's commands that change the mesh past plan, lock and record, and what to do instead (1.29 to 1.31).
_CHANGES_THE_MESH = {
    **dict.fromkeys(("install", "apply", "upgrade", "manifest install", "manifest apply"), _INSTALL),
    "uninstall": _UNINSTALL,
    **dict.fromkeys(("tag set", "tag remove", "tag delete", "waypoint apply", "waypoint delete"), _BY_HAND),
    "create-remote-secret": _BY_HAND,
}
# Those that only look, aliases included; a group's by the words that may follow it. The log level of a running proxy or
# istiod (`proxy-config log`, `admin log`) is no object of the cluster, and gone with its pod.
_LOOKS = (
    *("analyze", "bug-report", "check-inject", "completion", "describe", "des", "envoy-stats", "es", "help"),
    *("internal-debug", "kube-inject", "metrics", "m", "options", "precheck", "proxy-status", "ps"),
    *("remote-clusters", "validate", "v", "version"),
    *("admin", "istiod", "dashboard", "dash", "d", "proxy-config", "pc", "ztunnel-config", "zc"),
)
_LOOKS_IN_GROUPS = {
    "authz": ("check",),
    "config": ("list",),
    "injector": ("list",),
    "manifest": ("generate", "translate"),
    "tag": ("list", "show", "generate"),
    "waypoint": ("list", "status", "generate"),
}
# The shorthand of --kubeconfig is every command's; -A, -h and -y may stand before it in one word.
_ANOTHER_CLUSTER = re.compile(r"--(?:kubeconfig|context)(?:=.*)?|-[Ahy]*c.*", re.DOTALL)


def check_arguments(arguments: Sequence[str], environment: str) -> None:
    """Raises UsageError for arguments that name a cluster, RefusedError for commands not known to only look."""
    if arguments[0].startswith("-") and arguments[0] not in _HELP:
        raise UsageError(
            f"{arguments[0]!r} comes before istioctl's command",
            todo=f"Give the command first: `sohistio istioctl --env {environment} -- proxy-status`.",
        )
    own = before_dashes(arguments)
    if named := next((word for word in own if _ANOTHER_CLUSTER.fullmatch(word)), None):
        raise UsageError(
            f"{named!r} names another cluster: istioctl runs on the one of {environment}",
            todo="Leave it out. --env chooses the cluster, and so do --kubeconfig and --context before the --.",
        )
    after_help = list(dropwhile(_HELP.__contains__, own))
    # Which flags have a value only istioctl knows: a command is the words before the first flag.
    words = list(takewhile(lambda word: not word.startswith("-"), after_help))
    asks_for_help = all(word in _HELP for word in after_help[len(words) :])
    if words and words[0] in _EXPERIMENTAL:
        del words[0]
    if not _only_looks(words, asks_for_help=asks_for_help):
        raise _refusal(words, environment)


def _only_looks(words: Sequence[str], *, asks_for_help: bool) -> bool:
    """A group alone, or nothing, shows its help."""
    first, second = (*words, "", "")[:2]
    if first in _LOOKS or second in _LOOKS_IN_GROUPS.get(first, ()):
        return True
    return not second and asks_for_help and (not first or first in _LOOKS_IN_GROUPS)


def _refusal(words: Sequence[str], environment: str) -> RefusedError:
    for command in (" ".join(words[:2]), *words[:1]):
        if instead := _CHANGES_THE_MESH.get(command):
            return RefusedError(
                f"`istioctl {command}` changes the mesh, and has neither plan nor lock nor record",
                todo=instead.format(env=environment),
            )
    if not words or (words[0] in _LOOKS_IN_GROUPS and not words[1:]):
        return RefusedError(
            "a flag comes before istioctl's command, which is then not known",
            todo="Give all words of the command first, then its flags: `tag list -n shop`.",
        )
    named = words[:2] if words[0] in _LOOKS_IN_GROUPS else words[:1]
    known = _LOOKS_IN_GROUPS.get(words[0], (*_LOOKS, *_LOOKS_IN_GROUPS))
    return RefusedError(
        f"`istioctl {' '.join(named)}` is not one of the commands that only look",
        todo=did_you_mean(named[-1], known, _BY_HAND.format(env=environment)),
    )


def istioctl_passed_on(session: Session, arguments: Sequence[str]) -> int:
    """Run istioctl of the session's version; returns its own exit code.

    Raises as `check_arguments` and `pass_on` do, and RefusedError where istioctl or the login cannot be had.
    """
    check_arguments(arguments, session.environment.name)
    binary = session.istioctl(session.version)
    _ = session.api  # a kubeconfig or login that cannot be used is said here, and not by istioctl
    return pass_on("istioctl", (str(binary.path), *session.target.arguments(), *arguments))
