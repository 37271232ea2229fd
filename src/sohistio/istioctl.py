"""istioctl: what it is asked, and what its answers mean. Where the binary comes from is adapters/releases/obtain.py."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sohistio.errors import FailedError, NotObtainedError, UsageError
from sohistio.model.finding import Finding
from sohistio.model.held import HELD
from sohistio.model.kube_target import KubeTarget
from sohistio.model.restart_annotations import ANNOTATIONS
from sohistio.model.revision import DEFAULT_REVISION, Revision
from sohistio.model.sidecar import Injector
from sohistio.model.versions import Version
from sohistio.system.lifeline import tied_to_us
from sohistio.system.paths import state_dir
from sohistio.system.private_folder import private_folder

if TYPE_CHECKING:
    from sohistio.system.tool_run import ToolRun

_VERSION_SECONDS = 30.0
_GENERATE_SECONDS = 120.0
# https://istio.io/latest/docs/reference/config/analysis/ist0108/
_UNKNOWN_ANNOTATION = "IST0108"
ANALYZE_SECONDS = 120.0
_KEPT_LINES = 12


@dataclass(frozen=True, slots=True)
class Istioctl:
    """An istioctl binary whose version is known. `digest` is its SHA-256, empty where nobody took it."""

    path: Path
    version: Version
    digest: str = ""

    def manifest_generate(self, operator_yaml: str) -> str:
        """The objects (YAML documents) that an install of this IstioOperator applies; needs no cluster.

        Raises FailedError with istioctl's words.
        """
        return self._ask("manifest generate", ("manifest", "generate", "-f", "-"), operator_yaml, _GENERATE_SECONDS)

    def inject(self, objects_yaml: str, injector: Injector) -> str:
        """The pods and workloads (YAML documents) as this injector changes them; needs no cluster.

        Raises FailedError with istioctl's words.
        """
        # Beside this process's kubeconfig: there every run removes what killed ones have left.
        with tempfile.TemporaryDirectory(dir=private_folder(state_dir() / "kubeconfigs")) as folder:
            files = {"inject": injector.config, "values": injector.values, "mesh": injector.mesh}
            for name, text in files.items():
                Path(folder, name).write_text(text, encoding="utf-8")
            command = (
                *("kube-inject", "--filename=-", f"--injectConfigFile={folder}/inject"),
                *(f"--valuesFile={folder}/values", f"--meshConfigFile={folder}/mesh"),
                # Without it istioctl (1.31) asks a cluster for the default revision, and waits for ever for its answer.
                f"--revision={DEFAULT_REVISION}",
            )
            return self._ask("kube-inject", command, objects_yaml, _GENERATE_SECONDS)

    def start_install(
        self,
        operator_yaml: str,
        target: KubeTarget,
        *,
        readiness_seconds: int,
        log: Path,
        say: Callable[[str], None],
    ) -> ToolRun:
        """Start installing or upgrading. `readiness_seconds` counts per component: in total it may take thrice that."""
        command = ("install", "-y", "-f", "-", *target.arguments(), f"--readiness-timeout={readiness_seconds}s")
        return self._start("install", command, operator_yaml, log, say)

    def start_uninstall(
        self, target: KubeTarget, revision: Revision, *, log: Path, say: Callable[[str], None]
    ) -> ToolRun:
        """Start removing a revision's control plane and gateways. Never `--purge`, which takes the CRDs along."""
        command = ("uninstall", f"--revision={revision}", "-y", *target.arguments())
        return self._start("uninstall", command, "", log, say)

    def analyze(self, target: KubeTarget, *, timeout: float = ANALYZE_SECONDS) -> list[Finding]:
        """What istioctl finds wrong in all namespaces of the cluster, but for sohistio's annotations about restarts.

        Raises FailedError, also after `timeout` seconds: where a right to list is missing, istioctl (1.31) waits for
        ever.
        """
        command = ("analyze", "--all-namespaces", "--output=json", *target.arguments())
        found = parse_findings(self._ask("analyze", command, "", timeout))
        return [finding for finding in found if not _is_of_restarts(finding)]

    def analyze_objects(self, objects: str, *, timeout: float = ANALYZE_SECONDS) -> list[Finding]:
        """What istioctl finds wrong in these objects (YAML or JSON); no cluster is asked. Raises FailedError."""
        command = ("analyze", "--use-kube=false", "--all-namespaces", "--output=json", "-")
        return parse_findings(self._ask("analyze", command, objects, timeout))

    def precheck(self, target: KubeTarget, *, timeout: float = ANALYZE_SECONDS) -> list[Finding]:
        """What istioctl holds against an installation or upgrade of this cluster. Raises FailedError as `analyze` does.

        istioctl (1.29 to 1.31) ends with 1 where it has something to say, and says nothing on stdout where it has not.
        """
        command = ("experimental", "precheck", "--output=json", *target.arguments())
        said = self._ask("precheck", command, "", timeout, fine=(0, 1))
        return parse_findings(said) if said.strip() else []

    def _start(self, name: str, command: tuple[str, ...], stdin: str, log: Path, say: Callable[[str], None]) -> ToolRun:
        from sohistio.system.tool_run import ToolRun

        argv = (str(self.path), *command)
        return ToolRun.start(f"istioctl {name}", argv, stdin=stdin, log=log, say=say, env=_variables())

    def _ask(
        self, name: str, command: tuple[str, ...], stdin: str, timeout: float, *, fine: tuple[int, ...] = (0,)
    ) -> str:
        try:
            done = _run(tied_to_us((str(self.path), *command)), stdin, timeout)
        except OSError as error:
            raise FailedError(
                f"{self.path} could not be run", details=(str(error),), todo="Run it again: it is looked for anew."
            ) from error
        except subprocess.TimeoutExpired as error:
            raise FailedError(
                f"istioctl {name} did not end within {timeout:.0f} seconds",
                details=_last_lines(_text(error.output), _text(error.stderr)),
                todo="A missing right to list a resource makes it wait for ever: `sohistio check` names those.",
            ) from error
        if done.returncode not in fine or (done.returncode != 0 and not done.stdout.strip()):
            raise FailedError(
                f"istioctl {name} failed (exit code {done.returncode})",
                details=_last_lines(done.stdout if name == "analyze" else "", done.stderr),
                todo=f"Fix what it says, or run {self.path} ({self.version}) by hand to see more.",
            )
        return done.stdout


def _is_of_restarts(finding: Finding) -> bool:
    """Whether it does not know an annotation that sohistio reads: istioctl takes all of `…istio.io/` for Istio's."""
    return finding.code == _UNKNOWN_ANNOTATION and finding.message.rpartition(" ")[2] in {*ANNOTATIONS, HELD}


def reported_version(path: Path) -> Version:
    """The version the binary says it is. Raises NotObtainedError where it does not run here or is no istioctl."""
    try:
        done = _run((str(path.absolute()), "version", "--remote=false", "--output=json"), "", _VERSION_SECONDS)
    except OSError as error:
        raise NotObtainedError(
            f"{path} cannot be run",
            details=(str(error),),
            todo="It must be an executable for this operating system and architecture.",
        ) from error
    except subprocess.TimeoutExpired as error:
        raise NotObtainedError(
            f"{path} did not tell its version within {_VERSION_SECONDS:.0f} seconds",
            todo="Check that it is istioctl, and whether this machine is overloaded.",
        ) from error
    try:
        return Version.parse(json.loads(done.stdout)["clientVersion"]["version"])
    except (ValueError, KeyError, TypeError, RecursionError, UsageError):
        raise NotObtainedError(
            f"{path} does not tell its version as istioctl does",
            details=_last_lines(done.stdout, done.stderr),
            todo="Check that it is istioctl.",
        ) from None


def parse_findings(output: str) -> list[Finding]:
    """Read the answer of `istioctl analyze --output=json`: a list, which lines of a log may precede.

    Raises FailedError where there is no list: silence is not the same as no findings.
    """
    lines = output.split("\n")  # not splitlines: a text within the list may hold what Unicode calls a line's end
    start = next((number for number, line in enumerate(lines) if line.strip() in ("[", "[]", "null")), None)
    try:
        if start is None:
            raise ValueError("no list")
        found, _ = json.JSONDecoder().raw_decode("\n".join(lines[start:]))
        return [
            Finding(
                code=one["code"],
                level=one["level"],
                origin=one.get("origin", ""),
                message=one["message"],
                reference=one.get("reference", ""),
                documentation_url=one.get("documentationUrl", ""),
            )
            for one in found or ()
        ]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise FailedError(
            "istioctl analyze answered something that is not a list of findings",
            details=_last_lines(output),
            todo="Run `istioctl analyze -A` by hand to see what it says.",
        ) from None


def _run(command: tuple[str, ...], stdin: str, timeout: float) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=timeout,
        check=False,
        env=_variables(),
        start_new_session=sys.platform != "win32",  # the terminal's Ctrl-C is sohistio's to handle
    )


def _variables() -> dict[str, str]:
    """This process's own. A tool that ends within seconds need not look for garbage as often as a server does."""
    return {"GOGC": "400", **os.environ}


def _text(output: str | bytes | None) -> str:
    return output.decode("utf-8", errors="replace") if isinstance(output, bytes) else output or ""


def _last_lines(*outputs: str) -> tuple[str, ...]:
    lines = [line.rstrip() for output in outputs for line in output.splitlines() if line.strip()]
    return tuple(lines[-_KEPT_LINES:])
