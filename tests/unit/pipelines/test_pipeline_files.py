"""pipelines/*.yml: valid by Azure's schema, as written and as expanded; what is typed stays out of scripts."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from azure_agent import Cloud, Job
from azure_expressions import Variables
from azure_runs import PIPELINES, Run, begins, expanded, own_variables, steps_of
from azure_templates import expand, scripts_of
from sohistio.environments.failover import ManualPart
from sohistio.model.durations import seconds_of

FILES = sorted(PIPELINES.rglob("*.yml"))
NIGHT = {"Build__Reason": "Schedule", "Build__CronSchedule__DisplayName": "Nightly"}
WEEKLY = {"Build__Reason": "Schedule", "Build__CronSchedule__DisplayName": "Weekly rehearsal"}
MOVE = ["PreScreening", "Plan", "Move", "Verification"]
STAGES = {
    "install": ["PreScreening", "NamespaceSetup", "Plan", "Install", "NeverInstalled", "Verification"],
    "uninstall": ["PreScreening", "Plan", "Uninstall", "Verification"],
    "verify": ["Verification"],
    "failover": MOVE,
    "failback": MOVE,
    "rehearse": MOVE,
}
RUNS: list[tuple[dict[str, str], dict[str, str]]] = [({"action": action}, {}) for action in STAGES] + [
    ({}, NIGHT),
    ({}, WEEKLY),
]


def by_schema(*files: Path) -> subprocess.CompletedProcess[str]:
    """check-jsonschema's own copy of Azure's schema. Its patterns are no ECMAScript of today, hence Python's."""
    options = ("--regex-variant", "python", "--data-transform", "azure-pipelines")
    command = (sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.azure-pipelines", *options)
    return subprocess.run([*command, *map(str, files)], capture_output=True, text=True, check=False)


def jobs_of(typed: dict[str, str], build: dict[str, str]) -> list[dict[str, Any]]:
    return [job for stage in expanded(typed, **build) for job in stage["jobs"]]


def test_every_file_is_valid() -> None:
    done = by_schema(*FILES)
    assert done.returncode == 0, done.stdout


def test_what_is_not_valid_is_found(tmp_path: Path) -> None:
    """Or the test above would show nothing."""
    text = (PIPELINES / "templates" / "install.yml").read_text()
    (tmp_path / "wrong.yml").write_text(text.replace("deployment:", "deploymant:"))
    assert by_schema(tmp_path / "wrong.yml").returncode == 1


def test_every_run_is_valid_when_expanded(tmp_path: Path) -> None:
    files = []
    for number, (typed, build) in enumerate(RUNS):
        variables = Variables({name.replace("__", "."): value for name, value in build.items()})
        files.append(tmp_path / f"{number}.yml")
        files[-1].write_text(yaml.safe_dump(expand(PIPELINES / "azure-pipelines.yml", typed, variables)))
    done = by_schema(*files)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(("action", "stages"), STAGES.items())
def test_the_stages_of_an_action(action: str, stages: list[str]) -> None:
    assert [stage["stage"] for stage in expanded({"action": action})] == stages


@pytest.mark.parametrize(
    ("results", "changed", "install", "begin"),
    [
        (("Succeeded", "Succeeded", "Succeeded"), "true", "Succeeded", (True, False, True)),
        (("SucceededWithIssues",) * 3, "true", "SucceededWithIssues", (True, False, True)),
        (("Succeeded", "Succeeded", "Succeeded"), "false", "Skipped", (False, False, True)),
        (("Succeeded", "Succeeded", "Failed"), "", "Skipped", (False, False, False)),
        (("Succeeded", "Succeeded", "Failed"), "true", "Skipped", (False, False, False)),
        (("Succeeded", "Succeeded", "Succeeded"), "true", "Failed", (True, False, False)),
        (("Succeeded", "Failed", "Skipped"), "", "Skipped", (False, False, False)),
        (("Failed", "Skipped", "Skipped"), "", "Skipped", (False, False, False)),
        # Somebody left the stage of the namespaces out when the run was queued.
        (("Succeeded", "Skipped", "Succeeded"), "false", "Skipped", (False, False, True)),
        # Nobody approved in time: Azure Pipelines skips the stage.
        (("Succeeded", "Succeeded", "Succeeded"), "true", "Skipped", (True, True, False)),
        (("SucceededWithIssues", "Skipped", "Skipped"), "", "Skipped", (False, True, False)),
    ],
)
def test_an_install_is_approved_where_there_is_something_to_do(
    results: tuple[str, str, str], changed: str, install: str, begin: tuple[bool, bool, bool]
) -> None:
    """And where it was to be approved and was not, the run fails."""
    stages = {stage["stage"]: stage for stage in expanded({"action": "install"})}
    outputs = {"Plan": {"Plan.plan.changed": changed}}
    known = dict(zip(("PreScreening", "NamespaceSetup", "Plan"), results, strict=True))
    install_begins = begins(stages["Install"], ["Plan"], known, outputs)
    known["Install"] = install
    later = [begins(stages[name], [], known, outputs) for name in ("NeverInstalled", "Verification")]
    assert (install_begins, *later) == begin


def test_the_night_looks_at_every_environment_in_a_job_of_its_own() -> None:
    (stage,) = expanded({}, **NIGHT)
    parameters = yaml.safe_load((PIPELINES / "azure-pipelines.yml").read_text())["parameters"]
    assert [job["job"] for job in stage["jobs"]] == [*parameters[0]["values"], "overview"]
    assert not any("dependsOn" in job for job in stage["jobs"])


@pytest.mark.parametrize("typed", [{"environment": "prod; id"}, {"action": "purge"}, {"nonsense": "x"}])
def test_a_choice_is_a_choice(typed: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"azure-pipelines\.yml"):
        expanded(typed)


@pytest.mark.parametrize(("typed", "build"), RUNS)
def test_a_job_begins_with_checkout_tools_and_login(typed: dict[str, str], build: dict[str, str]) -> None:
    for job in jobs_of(typed, build):
        if job.get("job") == "NeverInstalled":  # it only says so
            continue
        begin = [step.get("displayName", "checkout") for step in steps_of(job)[:6]]
        expected = ["checkout", "Python", "kubectl", "Helm", "sohistio", "Log in"]
        # The page looks at all clusters, so it logs in to none.
        assert begin == (expected if job.get("job") != "overview" else [*expected[:5], "The page of all environments"])


def test_what_was_screened_and_planned_cannot_be_left_out() -> None:
    """People may choose stages when they queue a run."""
    for action, stages in STAGES.items():
        fixed = [stage["stage"] for stage in expanded({"action": action}) if stage.get("isSkippable") == "false"]
        assert fixed == [name for name in stages if name in ("PreScreening", "Plan")]


def test_every_job_ends_in_time_and_not_before_its_run() -> None:
    base = yaml.safe_load((PIPELINES.parent / "environments" / "base" / "environment.yaml").read_text())
    total, by_hand = seconds_of(base["timeouts"]["total"]), ManualPart.model_fields["timeout_seconds"].default
    least = dict.fromkeys(("NamespaceSetup", "Install", "Uninstall"), total) | {"Move": 2 * total + by_hand}
    for typed, build in RUNS:
        for job in jobs_of(typed, build):
            name = job.get("job") or job["deployment"]
            needed = least["Move"] if "deployment" in job and name == "dr" else least.get(name, 0)
            assert 60 * int(job["timeoutInMinutes"]) >= 1.5 * needed, name
            assert int(job["timeoutInMinutes"]) <= 360, "Microsoft's agents end it then"
            assert int(job["cancelTimeoutInMinutes"]) <= 10


def test_every_artifact_may_be_published_again() -> None:
    """The stage may be run again, and an artifact of that name would be there already."""
    for typed, build in RUNS:
        for step in itertools.chain.from_iterable(steps_of(job) for job in jobs_of(typed, build)):
            if "publish" in step:
                assert step["artifact"].endswith(("-$(System.StageAttempt)", "-$(System.JobAttempt)"))


def test_the_plan_of_the_last_attempt_is_the_one_that_is_installed(tmp_path: Path) -> None:
    stages = {stage["stage"]: stage for stage in expanded({"action": "install"})}
    (install,) = stages["Install"]["jobs"]
    planner = Job("Plan", tmp_path, Cloud({}, {}, {}, tmp_path), tmp_path, Variables())
    ended = Run(tmp_path, {"Plan": [planner]})
    planner.outputs = {"Plan.plan.artifact": "plan-2", "Plan.plan.changed": "true"}
    assert own_variables(install, ended) == {"approvedPlan": "plan-2"}
    (download,) = (step for step in steps_of(install) if "download" in step)
    assert download["artifact"] == "$(approvedPlan)"


def test_what_writes_waits_for_the_approvals_of_its_environment() -> None:
    for action, name in (("install", "Install"), ("uninstall", "Uninstall"), ("failover", "Move")):
        jobs = {job.get("deployment"): job for job in jobs_of({"action": action, "environment": "prod"}, {})}
        assert jobs[name]["environment"] == "sohistio-prod"
    assert jobs_of({}, WEEKLY)[0]["environment"] == "sohistio-rehearsal"


def test_every_script_stops_at_the_first_failure_and_sohistio_can_renew_its_token() -> None:
    for step in itertools.chain.from_iterable(steps_of(job) for run in RUNS for job in jobs_of(*run)):
        script = step.get("bash") or step.get("inputs", {}).get("inlineScript")
        if script is not None:
            assert script.startswith("set -euo pipefail\n")
        if step.get("task") == "AzureCLI@2":
            assert step["env"]["SYSTEM_ACCESSTOKEN"] == "$(System.AccessToken)"


def test_no_script_has_an_expression_or_a_macro_in_its_text() -> None:
    """The one exception holds the scripts of the other files, which are none that people type."""
    scripts = {script for _, script in scripts_of(PIPELINES)}
    assert len(scripts) > 20
    for script in scripts:
        assert "${{" not in script
        assert not re.search(r"(?<!\\)\$\(", script)
    wrapper = yaml.safe_load((PIPELINES / "templates" / "sohistio.yml").read_text())["steps"][0]
    assert re.findall(r"\$\{\{(.*?)\}\}", wrapper["inputs"]["inlineScript"]) == [" parameters.script "]


def test_what_is_typed_reaches_a_step_only_in_variables() -> None:
    secret = "unlikely-text"
    typed = dict.fromkeys(("version", "flags", "reason", "confirm"), f"{secret}$(System.AccessToken)")
    found = 0
    for action in STAGES:
        for job in jobs_of(typed | {"action": action}, {}):
            for step in steps_of(job):
                mapped = step.pop("env", {})
                found += secret in json.dumps(mapped)
                assert secret not in json.dumps(step)
                assert f"{secret}$(" not in json.dumps(mapped), "a macro would be replaced by what it names"
    assert found > 10


def test_the_lock_of_the_pipeline_is_that_of_the_tests() -> None:
    """What is tested is what a pipeline installs."""

    def locked(name: str) -> set[str]:
        text = (PIPELINES.parent / "requirements" / name).read_text()
        return set(re.findall(r"^[\w.-]+==[\w.]+", text, re.MULTILINE))

    assert locked("pipeline.txt") < locked("dev.txt")
    declared = tomllib.loads((PIPELINES.parent / "pyproject.toml").read_text())["project"]["dependencies"]
    names = {line.partition("==")[0] for line in locked("pipeline.txt")}
    assert {re.split(r"[><=]", line)[0].replace(".", "-") for line in declared} <= names
    assert any(line.startswith("hatchling==") for line in locked("pipeline.txt"))
