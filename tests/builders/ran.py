"""A run of a few steps against an API server that a test decides, with shell scripts for istioctl."""

from __future__ import annotations

import io
import json
import threading
from pathlib import Path

from api_server import ApiServer, Reply
from plans import OPERATOR
from sohistio.adapters.kubernetes.hold import Hold
from sohistio.adapters.kubernetes.webhooks import LISTED
from sohistio.istioctl import Istioctl
from sohistio.model.desired import DesiredMesh
from sohistio.model.finding import Finding
from sohistio.model.kube_target import KubeTarget
from sohistio.model.mode import Mode
from sohistio.model.versions import Version
from sohistio.output.lines import LineObserver
from sohistio.plan.backup_steps import RestoreObjects
from sohistio.plan.plan import Phase, Plan
from sohistio.plan.steps import InstallIstio, Step, UninstallIstio
from sohistio.run.progress import RunResult
from sohistio.run.recorder import Origin, Recorder
from sohistio.run.runner import Runner
from sohistio.run.tools import Before, IstioctlRuns, RestartSettings, Tools

RECORD = "/api/v1/namespaces/istio-system/configmaps/sohistio-record"
ISTIOD = "/apis/apps/v1/namespaces/istio-system/deployments/istiod"
UNINSTALL = UninstallIstio("old/uninstall", "uninstall Istio 1.29.8", Version(1, 29, 8))
INSTALL = InstallIstio("new/install", "install Istio 1.31.1", Version(1, 31, 1), OPERATOR, ())
BROKEN = RestoreObjects("restore/objects", "restore", ("{}",))
NO_CONTROL_PLANE = "There is no control plane now; run the same command again."


class Ran:
    """A run of these steps, with shell scripts for istioctl."""

    def __init__(self, server: ApiServer, folder: Path, *, component: float = 30, total: float = 60) -> None:
        self.server = server
        for path, _ in LISTED.values():
            server.answers("GET", path, Reply({"items": []}))
        self.folder = folder
        self.component = component
        self.total = total
        self.now = 1000.0
        self.hold = Hold(threading.Event(), lambda: self.now)
        self.said = io.StringIO()
        self.scripts = {"uninstall": "exit 0", "install": "exit 0"}
        self.findings_before: tuple[Finding, ...] | None = ()
        self.meshes: dict[Version, DesiredMesh] = {}

    def istioctl(self, version: Version) -> Istioctl:
        path = self.folder / "istioctl"
        cases = "".join(f"{name})\n{script}\n;;\n" for name, script in self.scripts.items())
        path.write_text(f"#!/bin/bash\necho working\ncase $1 in\n{cases}esac\n")
        path.chmod(0o700)
        return Istioctl(path, version)

    def of(self, *steps: Step) -> RunResult:
        plan = Plan("qa", "c", Mode.REINSTALL, "1.29.8", "1.31.1", (), (Phase("all", steps),))
        api = self.server.api(self.folder)
        tools = Tools(
            environment="qa",
            api=api.under(self.hold),
            istioctl=IstioctlRuns(self.istioctl, KubeTarget(), self.folder / "istioctl.log"),
            meshes=self.meshes,
            component_seconds=self.component,
            restarts=RestartSettings(5, 2, 5),
            backup=self.folder / "backup",
            before=Before(findings=self.findings_before),
        )
        recorder = Recorder(api, None, plan, Origin("1", "ada", "agent", "d"), self.hold)
        return Runner(tools, LineObserver(self.said), recorder, self.hold, self.total).carry_out(plan)

    def recorded(self) -> str:
        """The outcome that the record has."""
        writes = [asked for asked in self.server.asked if (asked.method, asked.path) == ("PATCH", RECORD)]
        return str(json.loads(writes[-1].body["data"]["record.json"])["runs"][-1]["outcome"])
