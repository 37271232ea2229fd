"""One process under Azure DevOps' agent: what it has found is collected, and told once, when the process ends.

What the agent obeys goes to stderr, which it reads as well as stdout: a plan or a document that a pipeline keeps in a
file has no command in it. Only the lines that group a run's own lines stand beside them (`reporter`).

By the sources of the agent (microsoft/azure-pipelines-agent, `TaskCommandExtension.cs` and `ExecutionContext.cs`): a
summary is attached under its file's name and read later by a queue, so the file stays and no other takes its place; of
issues ten of each type are kept.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from sohistio.errors import SohistioError
from sohistio.output import error_text
from sohistio.output.devops.harmless import harmless
from sohistio.system.paths import state_dir
from sohistio.system.pipeline import on_an_agent
from sohistio.system.streams import Stream

if TYPE_CHECKING:
    from sohistio.checks.result import CheckResult
    from sohistio.output.devops.facts import Facts, Issue, Stage
    from sohistio.plan.plan import Plan

_MOST_ISSUES = 8
"""Of each type at the end: ten, with the line that counts the rest and the error itself, is what the agent keeps."""
_MOST_FILES = 1000
# What kubectl and istioctl run: they read its stderr, and show it as theirs.
_OTHERS_READ = ("aks-token",)


class Agent:
    """What this process tells the agent. Not for several threads."""

    def __init__(self, folder: Path, command: str) -> None:
        self._folder = folder
        self._command = command
        self.asked = ""

    @cached_property
    def facts(self) -> Facts:
        """What was found. Made when there is a first one: `--help` and the like load nothing of it."""
        from sohistio.output.devops.facts import Facts

        return Facts(self._command, asked=self.asked)

    def issue(self, issue: Issue) -> None:
        """Log it as an issue of the build."""
        command("task.logissue", {"type": issue.type.value, "code": issue.code}, issue.message)

    def error(self, error: SohistioError) -> None:
        """An error that has just been printed."""
        from sohistio.output.devops.facts import error_issue

        with harmless():
            self.facts.errors.append(error)
            self.issue(error_issue(error))

    def end(self, code: int) -> None:
        """Files, issues, variables, and the result where there was a warning.

        A command that ends well and has no facts tells nothing.
        """
        if not (code or ("facts" in vars(self) and self.facts.has_something)):
            return
        from sohistio.output.devops.facts import IssueType, at_most

        files = self._files(code)  # one that cannot be written is an issue
        issues = list(self.facts.issues())
        for issue in at_most(issues, _MOST_ISSUES):
            self.issue(issue)
        for name, value in (self.facts.variables(code) | files).items():
            command("task.setvariable", {"variable": name, "isOutput": "true"}, value)
        if not code and any(issue.type is IssueType.WARNING for issue in issues):
            command("task.complete", {"result": "SucceededWithIssues"}, self.facts.outcome(code))

    def _files(self, code: int) -> dict[str, str]:
        """The page, which is uploaded, and the test results; where they are."""
        from sohistio.output.devops.summary import summary
        from sohistio.output.junit import junit

        facts, found = self.facts, {}
        words = (re.sub("[^a-z0-9]+", "-", word.lower()).strip("-") for word in (facts.command, facts.about()))
        name = "-".join(dict.fromkeys(word for word in ("sohistio", *words) if word))
        for suite in facts.suites:
            text = junit(f"sohistio.{suite.stage.value}.{suite.environment}", suite.checks)
            if path := self._written(f"{name}-{suite.stage.value}", ".junit.xml", text):
                found[f"{suite.stage.value}Results"] = str(path)
        if path := self._written(name, ".md", summary(facts, code)):
            command("task.uploadsummary", {}, str(path))
            found["summaryFile"] = str(path)
        return found

    def _written(self, name: str, ending: str, text: str) -> Path | None:
        """A new file: an earlier one of this job is still to be uploaded. None where there can be none."""
        from sohistio.output.devops.facts import Issue, IssueType

        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            for number in range(1, _MOST_FILES):
                path = self._folder / (f"{name}-{number}{ending}" if number > 1 else f"{name}{ending}")
                with suppress(FileExistsError), path.open("x", encoding="utf-8") as file:
                    file.write(text)
                    return path
            raise OSError(f"{_MOST_FILES - 1} files of that name are there already")
        except OSError as error:
            why = f"{self._folder} is no folder" if isinstance(error, FileExistsError) else error.strerror or str(error)
            message = f"{self._folder / name}{ending} cannot be written ({why}): the build gets no such page or results"
            self.facts.found.append(Issue(IssueType.WARNING, "file-not-written", message))
            return None


_agents: list[Agent] = []


def begin(arguments: Sequence[str], variables: Mapping[str, str]) -> None:
    """From here on this process is one of a pipeline's step, if it is."""
    if not on_an_agent(variables) or tuple(arguments[:1]) == _OTHERS_READ:
        return
    given, first = Path(variables.get("AGENT_TEMPDIRECTORY", "")), next(iter(arguments), "")
    folder = given if given.is_absolute() else state_dir() / "pipeline"
    _agents.append(Agent(folder, first if re.fullmatch("[a-z][a-z-]*", first) else "sohistio"))
    error_text.listeners.append(_agents[0].error)


def current() -> Agent | None:
    """The agent's side of this process; None outside a pipeline."""
    return _agents[0] if _agents else None


def end(code: int) -> None:
    """The process ends with this exit code."""
    if agent := current():
        agent.end(code)


def asked_about(environment: str) -> None:
    """The command line names this environment: how far it gets to it is not known yet."""
    if (agent := current()) and not agent.asked:
        agent.asked = environment


def looked(environment: str, plan: Plan | None = None) -> None:
    """A command that only looks has its answer, about one environment or about several; the plan if there is one."""
    if agent := current():
        agent.facts.environment, agent.facts.only_looks = environment, True
        if plan is not None:
            agent.facts.planned(plan)


def checked(stage: Stage, environment: str, checks: Sequence[CheckResult]) -> None:
    """What holds before a run, or of the mesh, and what does not."""
    if agent := current():
        agent.facts.checked(stage, environment, checks)


def command(name: str, properties: Mapping[str, str], message: str) -> None:
    """A command to the agent, where this process has the streams that can give one."""
    if isinstance(sys.stderr, Stream):
        sys.stderr.command(name, properties, message)
