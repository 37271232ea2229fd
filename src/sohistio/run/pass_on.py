"""istioctl as a person asks for it: the pinned one, on the environment's cluster, and nothing that changes the mesh."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sohistio.errors import RefusedError, UsageError
from sohistio.planning.session import Session
from sohistio.system.passed_on import pass_on

_HELP = ("-h", "--help")
_EXPERIMENTAL = ("experimental", "exp", "x")
_INSTALL = "`sohistio plan --env {env}` shows what is to be done, `sohistio install --env {env}` does it."
_UNINSTALL = "Use `sohistio uninstall --env {env}`."
_TAG = "Give the tag with istioctl itself; `sohistio login --env {env}` adds the cluster to your kubeconfig."
# istioctl's commands that change the mesh past plan, lock and record (1.29 to 1.31, aliases included).
_CHANGES_THE_MESH = {
    ("install",): _INSTALL,
    ("apply",): _INSTALL,
    ("upgrade",): _INSTALL,
    ("uninstall",): _UNINSTALL,
    ("manifest", "install"): _INSTALL,
    ("manifest", "apply"): _INSTALL,
    ("tag", "set"): _TAG,
    ("tag", "remove"): _TAG,
    ("tag", "delete"): _TAG,
}
# The shorthand of --kubeconfig is every command's; -A, -h and -y may stand before it in one word.
_ANOTHER_CLUSTER = re.compile(r"--(?:kubeconfig|context)(?:=.*)?|-[Ahy]*c.*", re.DOTALL)


def check_arguments(arguments: Sequence[str], environment: str) -> None:
    """Raises UsageError for arguments that name a cluster, RefusedError for those that would change the mesh."""
    if arguments[0].startswith("-") and arguments[0] not in _HELP:
        raise UsageError(
            f"{arguments[0]!r} comes before istioctl's command",
            todo=f"Give the command first: `sohistio istioctl --env {environment} -- proxy-status`.",
        )
    own = arguments[: arguments.index("--")] if "--" in arguments else arguments
    if named := next((word for word in own if _ANOTHER_CLUSTER.fullmatch(word)), None):
        raise UsageError(
            f"{named!r} names another cluster: istioctl runs on the one of {environment}",
            todo="Leave it out. --env chooses the cluster, and so do --kubeconfig and --context before the --.",
        )
    words = [word for word in own if not word.startswith("-")]
    if words and words[0] in _EXPERIMENTAL:
        del words[0]
    for command, instead in _CHANGES_THE_MESH.items():
        # A flag's value may stand between the two words: which flags have one only istioctl knows.
        if words[:1] == [command[0]] and set(command[1:]) <= set(words):
            raise RefusedError(
                f"`istioctl {' '.join(command)}` changes the mesh, and has neither plan nor lock nor record",
                todo=instead.format(env=environment),
            )


def istioctl_passed_on(session: Session, arguments: Sequence[str]) -> int:
    """Run istioctl of the session's version; returns its own exit code.

    Raises as `check_arguments` and `pass_on` do, and RefusedError where istioctl or the login cannot be had.
    """
    check_arguments(arguments, session.environment.name)
    binary = session.istioctl(session.version)
    _ = session.api  # a kubeconfig or login that cannot be used is said here, and not by istioctl
    return pass_on("istioctl", (str(binary.path), *session.target.arguments(), *arguments))
