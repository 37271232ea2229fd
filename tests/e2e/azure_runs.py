"""A run of pipelines/azure-pipelines.yml, as Azure Pipelines would carry it out: stages in order, jobs side by side."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from azure_agent import CHECKOUT, ISSUES, SKIPPED, SUCCEEDED, Cloud, Job, StepRun, worst
from azure_expressions import PURE, Variables, evaluate
from azure_templates import expand, scripts_of

PIPELINES = CHECKOUT / "pipelines"
# They need two regions: test_moving_traffic.py runs them, test_pipeline.py all others.
MOVES = {"Plan the move of traffic", "Move traffic", "Rehearse the failover to dr", "The standby is as the active side"}
_RUN = {"TF_BUILD": "True", "Build.BuildId": "4711", "Build.RequestedFor": "Ada Lovelace"}
_RUN |= {"System.StageAttempt": "1", "System.JobAttempt": "1"}


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
        return {stage: worst(job.result for job in jobs) if jobs else SKIPPED for stage, jobs in self.jobs.items()}

    @property
    def steps(self) -> Iterator[StepRun]:
        return (step for jobs in self.jobs.values() for job in jobs for step in job.steps)

    @property
    def said(self) -> str:
        return "".join(step.said for step in self.steps)

    @property
    def outputs(self) -> dict[str, dict[str, str]]:
        """The output variables of each stage's jobs."""
        return {stage: {k: v for job in jobs for k, v in job.outputs.items()} for stage, jobs in self.jobs.items()}

    @property
    def failures(self) -> str:
        """What failed said, for a test that wonders."""
        return "\n".join(f"== {step.title} ({step.code})\n{step.said}" for step in self.steps if step.code)


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
    approver: Mapping[str, Callable[[Run], None]] = {},
    *,
    only: Collection[str] = (),
    **variables: str,
) -> Run:
    """One run with what was typed, or only these jobs of it.

    What `approver` has for a stage happens while that waits to be approved.
    """
    ended = Run(folder)
    ended.artifacts.mkdir(parents=True)
    for stage in expanded(typed, **variables):
        name, ended.jobs[stage["stage"]] = stage["stage"], []
        before = list(ended.jobs)[-2:-1]
        if begins(
            stage, before, {place: result for place, result in ended.results.items() if place != name}, ended.outputs
        ):
            if name in approver:
                approver[name](ended)
            ended.jobs[name] = _stage(stage, ended, cloud, only, _RUN | _build(variables) | dict(cloud.variables))
    return ended


def begins(
    stage: Mapping[str, Any], before: list[str], results: Mapping[str, str], outputs: Mapping[str, Mapping[str, str]]
) -> bool:
    """Whether a stage begins after the others of `results`; `before` is the one above it, or none."""
    depends = stage.get("dependsOn", before)
    known = {name: {"result": results[name], "outputs": Variables(outputs.get(name, {}))} for name in depends}
    succeeded = all(results[name] in (SUCCEEDED, ISSUES) for name in depends)
    functions = {**PURE, "succeeded": lambda: succeeded}
    return bool(evaluate(stage.get("condition", "succeeded()"), {"dependencies": known}, functions))


def _stage(
    stage: Mapping[str, Any], ended: Run, cloud: Cloud, only: Collection[str], variables: Mapping[str, str]
) -> list[Job]:
    def carry_out(job: Mapping[str, Any]) -> Job:
        name = job.get("job") or job["deployment"]
        machine = ended.folder / f"{stage['stage']}-{name}"
        own = Job(name, machine, cloud, ended.artifacts, Variables(dict(variables) | own_variables(job, ended)))
        own.run(steps_of(job))
        return own

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(carry_out, (job for job in stage["jobs"] if not only or job.get("job") in only)))


def own_variables(job: Mapping[str, Any], ended: Run) -> dict[str, str]:
    """Those that a job has for itself, from what the jobs of earlier stages put out."""
    stages = {
        stage: {
            one.name: {"outputs": Variables({k.partition(".")[2]: v for k, v in one.outputs.items()})} for one in jobs
        }
        for stage, jobs in ended.jobs.items()
    }
    found = {}
    for name, text in job.get("variables", {}).items():
        assert (text[:2], text[-1:]) == ("$[", "]"), "nothing else is used in pipelines/"
        found[name] = str(evaluate(text[2:-1], {"stageDependencies": stages}))
    return found


def titled(typed: dict[str, str], title: str, *, job_name: str = "", **variables: str) -> dict[str, Any]:
    """A step by its title, of the run that these parameters would make; of the job named, or the first that has it."""
    for stage in expanded(typed, **variables):
        for job in stage["jobs"]:
            if job_name and job.get("job") != job_name:
                continue
            for step in steps_of(job):
                if step.get("displayName") == title:
                    return step
    raise AssertionError(f"no step {title}")


def again(job: Job, step: dict[str, Any]) -> StepRun:
    """One more script on a machine that has its tools already."""
    job.step(step)
    return job.steps.pop()


def not_executed(ran: Iterable[StepRun]) -> set[str]:
    """The titles of scripts in pipelines/ that none of these steps ran."""
    executed = [(step.title, step.script) for step in ran]
    return {
        title
        for title, script in scripts_of(PIPELINES)
        if not any(title == its_title and script in its_script for its_title, its_script in executed)
    }
