"""What sohistio says when it stops: four parts (what happened, details, what to do, exit code), never a traceback."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """The exit codes users may rely on (docs/modes-and-safety.md#exit-codes)."""

    OK = 0
    FAILED = 1
    USAGE = 2
    REFUSED = 3
    CHANGES_PENDING = 4
    VERIFICATION_FAILED = 5
    INTERRUPTED = 130


class SohistioError(Exception):
    """Something a user can act on.

    `what` is one sentence without a final full stop; `details` are lines of evidence (a tool's own stderr kept as it
    was); `todo` is what to do about it. It ends with `again`, the sentence that says to run it again: apart, where
    something else may have to say so first. `docs` is the section of the documentation about it, `sent` whether it
    went to the environment's webhook already.
    """

    exit_code: ExitCode = ExitCode.FAILED
    docs: str = "docs/troubleshooting.md#failed-while-at-work-exit-code-1"

    def __init__(
        self, what: str, *, details: tuple[str, ...] = (), todo: str = "", again: str = "", docs: str = ""
    ) -> None:
        super().__init__(what)
        self.what = what
        self.details = details
        self.remedy = todo
        self.again = again
        self.docs = docs or self.docs
        self.sent = False

    @property
    def todo(self) -> str:
        """All that there is to do about it."""
        return " ".join(part for part in (self.remedy, self.again) if part)

    def brief(self, most: int = 1) -> str:
        """What happened with its first details, at most so many, in one line."""
        return ": ".join((self.what, *self.details[:most]))

    def document(self) -> dict[str, object]:
        """The four parts as JSON."""
        return {
            "what": self.what,
            "details": list(self.details),
            "todo": self.todo,
            "docs": self.docs,
            "exitCode": int(self.exit_code),
        }


class UsageError(SohistioError):
    """Wrong usage, or an environment file that is not valid. Nothing was touched."""

    exit_code = ExitCode.USAGE
    docs = "docs/troubleshooting.md#nothing-was-touched-exit-code-2"


class RefusedError(SohistioError):
    """Stopped by a check, a policy or missing approval before anything was touched."""

    exit_code = ExitCode.REFUSED
    docs = "docs/troubleshooting.md#nothing-was-touched-exit-code-3"


class FailedError(SohistioError):
    """Failed while at work: the cluster may have been changed."""

    exit_code = ExitCode.FAILED


class LockLostError(FailedError):
    """Another run has taken the lock: what the cluster is now is that run's business."""


class VerificationError(SohistioError):
    """Applied, but verification failed."""

    exit_code = ExitCode.VERIFICATION_FAILED
    docs = "docs/troubleshooting.md#applied-but-verification-failed-exit-code-5"


class InterruptedRunError(SohistioError):
    """Stopped by the user (Ctrl-C or SIGTERM)."""

    exit_code = ExitCode.INTERRUPTED
    docs = "docs/troubleshooting.md#interrupted-exit-code-130"


class NotObtainedError(RefusedError):
    """What the work takes cannot be had, such as istioctl or a bundle, so nothing was begun."""

    def __init__(self, what: str, *, details: tuple[str, ...] = (), todo: str = "") -> None:
        super().__init__(what, details=details, todo=f"{todo} Nothing was changed on the cluster.".strip())
