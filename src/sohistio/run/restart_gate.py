"""Whether a workload may still be restarted when its turn comes: a window may have closed since the plan was made."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from sohistio.model.restart_policy import Restraint, held_in
from sohistio.model.state import ClusterState, ObjectRef, Workload


@dataclass(slots=True)
class Gate:
    """`state` has the annotations as they were when the restarts began; `refused` is what was held back since."""

    restraint: Restraint
    state: ClusterState
    refused: set[ObjectRef] = field(default_factory=set)

    def held(self, workload: Workload, now: datetime) -> str:
        """Why the workload may not be restarted any more; empty where it may."""
        if self.restraint.now is None:
            return ""
        found = held_in(replace(self.restraint, now=now), self.state, (workload,)).get(workload.ref)
        if found is None:
            return ""
        self.refused.add(workload.ref)
        return found.reason
