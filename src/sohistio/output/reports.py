"""Who reports a run: the one place where that is chosen."""

from __future__ import annotations

from sohistio.output.devops.agent import current
from sohistio.output.run_report import RunReport
from sohistio.run.reporter import Reporter


def reporter_for(*, stderr: bool) -> Reporter:
    """For people, on stdout or on stderr where stdout is left to a document; in a pipeline for its agent, too."""
    plain = RunReport(stderr=stderr)
    agent = current()
    if agent is None:
        return plain
    from sohistio.output.devops.reporter import DevOpsReport

    return DevOpsReport(plain, agent)
