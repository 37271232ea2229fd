"""A run of pipelines/azure-pipelines.yml, as Azure Pipelines would carry it out: stages in order, jobs side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from azure_agent import Cloud, Job, StepRun
from azure_expressions import Variables
from azure_templates import expand
from conftest import CHECKOUT

PIPELINES = CHECKOUT / "pipelines"
_RUN = {"TF_BUILD": "True", "Build.BuildId": "4711", "Build.RequestedFor": "Ada Lovelace", "System.StageAttempt": "1"}


@dataclass
class Run:
    """What became of a run: `jobs` by stage, in order. A stage that was not begun has none."""

    folder: Path
    jobs: dict[str, list[Job]] = field(default_factory=dict)

    @property
    def artifacts(self) -> Path:
        return self.folder / "artifacts"

    @property
    def results(self) -> dict[str, str]:
        """Each stage, and how it ended."""
        return {stage: _worst(job.result for job in jobs) if jobs else "skipped" for stage, jobs in self.jobs.items()}

    @property
    def steps(self) -> Iterator[StepRun]:
        return (step for jobs in self.jobs.values() for job in jobs for step in job.steps)

    @property
    def said(self) -> str:
        return "".join(step.said for step in self.steps)

    def step(self, title: str) -> StepRun:
        """The step of this title that failed, or else the first one."""
        found = [step for step in self.steps if step.title == title]
        return next((step for step in found if step.code), found[0])


def _worst(results: Iterator[str]) -> str:
    found = set(results)
    return next((name for name in ("failed", "issues") if name in found), "succeeded")


def expanded(typed: Mapping[str, str], **variables: str) -> list[dict[str, Any]]:
    """The stages of a run. `variables` are those of the build, with `__` for a dot."""
    document = expand(PIPELINES / "azure-pipelines.yml", typed, Variables(_build(variables)))
    stages: list[dict[str, Any]] = document["stages"]
    return stages


def _build(variables: Mapping[str, str]) -> dict[str, str]:
    given = {"Build__Reason": "Manual"} | dict(variables)
    return {name.replace("__", "."): value for name, value in given.items()}


def steps_of(job: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The steps of a job, or of a deployment."""
    found: list[dict[str, Any]] = job["steps"] if "job" in job else job["strategy"]["runOnce"]["deploy"]["steps"]
    return found


def run(
    folder: Path,
    cloud: Cloud,
    typed: Mapping[str, str],
    approver: Mapping[str, Callable[[Run], None]] = {},  # noqa: B006 - never changed
    **variables: str,
) -> Run:
    """One run with what was typed. What `approver` has for a stage happens while that waits to be approved."""
    ended = Run(folder)
    ended.artifacts.mkdir(parents=True)
    for stage in expanded(typed, **variables):
        name = stage["stage"]
        if {"failed", "skipped"}.isdisjoint(ended.results.values()):
            if name in approver:
                approver[name](ended)
            ended.jobs[name] = _stage(stage, ended, cloud, _RUN | _build(variables) | dict(cloud.variables))
        else:
            ended.jobs[name] = []
    return ended


def _stage(stage: Mapping[str, Any], ended: Run, cloud: Cloud, variables: Mapping[str, str]) -> list[Job]:
    def carry_out(job: Mapping[str, Any]) -> Job:
        name = job.get("job") or job["deployment"]
        machine = ended.folder / f"{stage['stage']}-{name}"
        own = Job(name, machine, cloud, ended.artifacts, Variables(variables))
        own.run(steps_of(job))
        return own

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(carry_out, stage["jobs"]))
