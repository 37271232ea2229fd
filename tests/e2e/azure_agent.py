"""An agent of Azure Pipelines for one job: a fresh machine, its steps in order. Every script runs for real, with bash.

Of the tasks that are no scripts, those whose outcome later steps need are carried out: artifacts are copied, test
results are found and read. The installers of Python, kubectl and Helm are not: the machine has what it has.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from agent_reading import Command, read
from azure_expressions import PURE, Functions, Variables, evaluate

CHECKOUT = Path(__file__).parents[2]


_INSTALLERS = ("UsePythonVersion@0", "KubectlInstaller@0", "HelmInstaller@1")
_MACRO = re.compile(r"\$\(([^()$]+)\)")
_LONGEST = 300
SUCCEEDED, ISSUES, FAILED, SKIPPED = "Succeeded", "SucceededWithIssues", "Failed", "Skipped"


def worst(results: Iterable[str]) -> str:
    """Of several results."""
    found = set(results)
    return next((name for name in (FAILED, ISSUES) if name in found), SUCCEEDED)


@dataclass(frozen=True)
class Cloud:
    """What is around every machine: the service connection's login, secret variables, and this test's own network."""

    login: Mapping[str, str]
    secrets: Mapping[str, str]
    variables: Mapping[str, str]
    environments: Path


@dataclass(frozen=True)
class StepRun:
    """A step that has ended: what it is called, its script, its exit code, and what it said."""

    title: str
    script: str
    code: int
    result: str
    said: str
    seconds: float


@dataclass
class Job:
    """One job on its machine. `artifacts` is shared by all jobs of the run."""

    name: str
    machine: Path
    cloud: Cloud
    artifacts: Path
    variables: Variables
    steps: list[StepRun] = field(default_factory=list)
    tests: list[str] = field(default_factory=list)
    path: list[str] = field(default_factory=list)
    outputs: dict[str, str] = field(default_factory=dict)

    @property
    def result(self) -> str:
        """Succeeded, SucceededWithIssues or Failed, as Azure names them."""
        return worst(step.result for step in self.steps)

    @property
    def own_seconds(self) -> float:
        """What its steps took, without the tools' setup."""
        return sum(step.seconds for step in self.steps if step.title not in ("sohistio", "istioctl"))

    def run(self, steps: list[dict[str, Any]]) -> None:
        """All steps whose conditions hold."""
        for folder in ("home", "temp", "sources", "staging", "workspace", "bin"):
            (self.machine / folder).mkdir(parents=True)
        self._write_python()
        places = {
            "Agent.TempDirectory": "temp",
            "Build.SourcesDirectory": "sources",
            "Build.ArtifactStagingDirectory": "staging",
            "Pipeline.Workspace": "workspace",
        }
        for name, folder in places.items():
            self.variables[name] = str(self.machine / folder)
        for step in steps:
            if evaluate(step.get("condition", "succeeded()"), {"variables": self.variables}, self._functions()):
                self.step(step)

    def _write_python(self) -> None:
        """`python`, which the task UsePythonVersion@0 puts on PATH: that under the tests' own."""
        python = self.machine / "bin" / "python"
        python.write_text(
            f'#!/bin/sh\nexec {sys.base_prefix}/bin/python{sys.version_info[0]}.{sys.version_info[1]} "$@"\n'
        )
        python.chmod(0o755)

    def _functions(self) -> Functions:
        failed = self.result == FAILED
        own = {
            "succeeded": lambda: not failed,
            "succeededOrFailed": lambda: True,
            "always": lambda: True,
            "failed": lambda: failed,
        }
        return {**PURE, **own}

    def step(self, step: dict[str, Any]) -> None:
        """One more step on this machine, whatever its condition is."""
        inputs = step.get("inputs", {})
        if "checkout" in step:
            if step["checkout"] == "self":
                self._check_out()
        elif "bash" in step:
            self._script(step, step["bash"], {})
        elif step.get("task") == "AzureCLI@2":
            assert inputs["scriptType"] == "bash"
            self._script(step, inputs["inlineScript"], self.cloud.login)
        elif "publish" in step:
            self._publish(Path(self._filled(step["publish"])), self._filled(step["artifact"]))
        elif "download" in step:
            artifact = self._filled(step["artifact"])
            shutil.copytree(self.artifacts / artifact, self.machine / "workspace" / artifact)
        elif step.get("task") == "PublishTestResults@2":
            self._read_tests(Path(self._filled(inputs["searchFolder"])), inputs["testResultsFiles"])
        else:
            assert step["task"] in _INSTALLERS, step
            assert all(re.fullmatch(r"v?\d+(\.\d+)+", value) for value in inputs.values()), "a version is pinned"

    def _check_out(self) -> None:
        """What is in the repository, without its history and its tests, and with the user's own environments."""
        sources = self.machine / "sources"
        left = shutil.ignore_patterns(".git", ".venv", ".*_cache", "__pycache__", "dist", "tests")
        shutil.copytree(CHECKOUT, sources, ignore=left, dirs_exist_ok=True)
        shutil.rmtree(sources / "environments")
        shutil.copytree(self.cloud.environments, sources / "environments")

    def _script(self, step: Mapping[str, Any], script: str, login: Mapping[str, str]) -> None:
        own = {
            "HOME": str(self.machine / "home"),
            "PATH": ":".join([*self.path, str(self.machine / "bin"), "/usr/bin", "/bin"]),
            "LANG": "C.UTF-8",
            # The locked requirements without a network: those of the tests' own venv.
            "PIP_NO_INDEX": "1",
            "PYTHONPATH": next(place for place in sys.path if place.endswith("site-packages")),
        }
        filled = {key: self._filled(value) for key, value in step.get("env", {}).items()}
        begun = time.monotonic()
        done = subprocess.run(
            ["/bin/bash", "--noprofile", "--norc", "-c", self._filled(script)],
            cwd=self.machine / "sources",
            env=own | self.variables.environ | dict(login) | filled,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_LONGEST,
            check=False,
        )
        result = FAILED if done.returncode else SUCCEEDED
        for command in read(done.stdout).commands:
            self._obey(step, command)
            if command.name == "task.complete" and result == SUCCEEDED:
                result = command.properties["result"]
        seconds = time.monotonic() - begun
        self.steps.append(StepRun(step["displayName"], script, done.returncode, result, done.stdout, seconds))

    def _obey(self, step: Mapping[str, Any], command: Command) -> None:
        """What a step's output tells the agent about the job."""
        kind, told, value = command.name, command.properties, command.message
        if kind == "task.prependpath":
            self.path.insert(0, value)
        elif kind == "task.setvariable" and told.get("isOutput", "").lower() != "true":
            self.variables[told["variable"]] = value
        elif kind == "task.setvariable" and "name" in step:
            self.outputs[f"{self.name}.{step['name']}.{told['variable']}"] = value

    def _filled(self, text: str) -> str:
        """With its macros; one of no variable stays as it is."""

        def value(found: re.Match[str]) -> str:
            for known in (self.variables, Variables(self.cloud.secrets)):
                if found[1] in known:
                    return str(known.get(found[1]))
            return found[0]

        return _MACRO.sub(value, text)

    def _publish(self, path: Path, artifact: str) -> None:
        target = self.artifacts / artifact
        assert not target.exists(), "an artifact is published once"
        if path.is_dir():
            shutil.copytree(path, target)
        else:
            target.mkdir(parents=True)
            shutil.copy(path, target)

    def _read_tests(self, folder: Path, pattern: str) -> None:
        for path in folder.rglob(pattern):
            self.tests += [str(case.get("name")) for case in ET.parse(path).iter("testcase")]  # noqa: S314
