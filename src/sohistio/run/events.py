"""Events of a run: one when it begins, one when it ends, both about the record. They never stop or fail a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from sohistio.adapters.kubernetes.api import KubeApi, KubeError
from sohistio.adapters.kubernetes.events import RecordEvent, post_event
from sohistio.model.mode import Mode
from sohistio.model.record import RunEntry
from sohistio.system.parallel import within
from sohistio.system.sanitize import one_line

_SECONDS = 3.0
"""For one event: a failover does not wait for a diary."""


@dataclass(slots=True)
class RunEvents:
    """The events of one run; `say` takes the one line about those that could not be written."""

    api: KubeApi
    record_uid: str
    say: Callable[[str], None]
    _complained: bool = field(default=False, init=False)

    def began(self, entry: RunEntry) -> None:
        """The run has begun."""
        self._post(
            RecordEvent(f"sohistio-{entry.id}-began", "RunBegan", _words(entry, "began"), entry.started, entry.host)
        )

    def ended(self, entry: RunEntry) -> None:
        """The run has ended, well or not."""
        well = entry.ended_well
        reason = f"Run{entry.outcome[:1].upper()}{entry.outcome[1:]}"
        ended = "ended well" if well else f"ended: {entry.outcome}, last step {entry.last_step or 'none'}"
        name = f"sohistio-{entry.id}-ended"
        self._post(RecordEvent(name, reason, _words(entry, ended), entry.ended, entry.host, warning=not well))

    def _post(self, event: RecordEvent) -> None:
        if self._complained:  # it would go no better, and one line says it all
            return
        if why := within(_SECONDS, partial(self._posted, event), f"no answer within {_SECONDS:g} s"):
            self._complained = True
            self.say(f"This run goes on, but its Kubernetes Event could not be written: {one_line(why)}")

    def _posted(self, event: RecordEvent) -> str:
        """Why it was not written; empty where it was, or where the namespace went with all that is in it."""
        try:
            post_event(self.api.within(_SECONDS), event, self.record_uid)
        except KubeError as error:
            gone = error.status == 404
            return "" if gone else error.brief()
        return ""


def _words(entry: RunEntry, what: str) -> str:
    """`upgrade of qa from 1.30.5 to 1.31.1 by ada@agent-7 ended well; run 0a1b2c3d4e5f; reason: CHG0012345`.

    A run of mode none changes something around the mesh, such as a label, and not the mesh.
    """
    mode = "run" if entry.mode is Mode.NONE else entry.mode.value
    before, after = entry.from_version, entry.to_version
    moves = (("with", before),) if before == after else (("from", before), ("to", after))
    versions = "".join(f" {word} {version}" for word, version in moves if version)
    reason = f"reason: {entry.reason}" if entry.reason else "no reason given"
    who = f"{entry.who}@{entry.host}"
    return one_line(f"{mode} of {entry.environment}{versions} by {who} {what}; run {entry.id}; {reason}")
