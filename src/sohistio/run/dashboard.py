"""Opens a page of monitoring on this machine, by `kubectl port-forward`, for as long as somebody looks."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable
from dataclasses import dataclass

from sohistio.adapters.kubernetes.paths import path_of
from sohistio.errors import FailedError, RefusedError, UsageError
from sohistio.model.kube_target import KubeTarget
from sohistio.model.monitoring import GRAFANA_ADMIN, RANDOM_SECRETS, UI_PORTS, Part
from sohistio.model.nearest import did_you_mean
from sohistio.model.state import ISTIO_NAMESPACE, ObjectRef
from sohistio.planning.reads import or_refused
from sohistio.planning.session import Session
from sohistio.system.interruption import stop_event
from sohistio.system.paths import state_dir
from sohistio.system.tool_run import ToolRun

_HERE = "127.0.0.1"
_OPEN = "Forwarding from"
"""What kubectl says once it listens."""
_POLL_SECONDS = 0.2
_LAST_PORT = 65535


@dataclass(frozen=True, slots=True)
class Page:
    """Where a part's page is on this machine, and how people log in; nothing for those without a login of their own."""

    part: Part
    port: int
    login: str

    @property
    def url(self) -> str:
        return f"http://{_HERE}:{self.port}/{self.part}/"


def page_of(session: Session, name: str, port: int | None) -> Page:
    """The page of a part. Raises UsageError for a name or a port that cannot be, RefusedError where it is not there."""
    known = {part.value: part for part in UI_PORTS}
    if name not in known:
        expected = f"Expected one of {', '.join(sorted(known))}."
        raise UsageError(f"there is no page {name!r}", todo=did_you_mean(name, known, expected))
    part = known[name]
    if port is not None and not 1 <= port <= _LAST_PORT:
        raise UsageError(f"--port {port} is no port", todo=f"Give one from 1 to {_LAST_PORT}, or leave it out.")
    if port is not None and not _is_free(port):
        raise UsageError(f"another program has port {port} of this machine", todo="Give another --port, or none.")
    service = ObjectRef("Service", ISTIO_NAMESPACE, part.value)
    if or_refused(f"{service} could not be read", lambda: session.api.get(path_of(service))) is None:
        environment = session.environment
        declared = part in environment.monitoring.data().parts
        todo = (
            f"Run `sohistio install --env {environment.name}`." if declared else f"Add monitoring.{part} and install."
        )
        raise RefusedError(f"{environment.name} has no {part}: there is no {service}", todo=todo)
    return Page(part, port or (UI_PORTS[part] if _is_free(UI_PORTS[part]) else _free_port()), _login(part))


def show_page(session: Session, page: Page, opened: Callable[[Page], None]) -> None:
    """Forward until Ctrl-C; `opened` is called once the page answers here.

    Raises RefusedError without kubectl, FailedError with its words where it ends by itself.
    """
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        raise RefusedError("there is no kubectl in PATH", todo="Install it: the page is reached through it.")
    log = state_dir() / "logs" / f"dashboard-{page.part}-{os.getpid()}.log"
    is_open = False

    def said(line: str) -> None:
        nonlocal is_open
        if line.startswith(_OPEN) and not is_open:
            is_open = True
            opened(page)

    command = _command(kubectl, session.target, page)
    with stop_event() as stop, ToolRun.start("kubectl port-forward", command, stdin="", log=log, say=said) as run:
        while run.poll() is None:
            if stop.wait(_POLL_SECONDS):
                return
        run.wait()
        raise FailedError(
            "kubectl port-forward ended",
            details=run.last_lines,
            todo="Its pod may have been made anew: run it again. `sohistio verify` says whether the part runs.",
        )


def _command(kubectl: str, target: KubeTarget, page: Page) -> tuple[str, ...]:
    what = (f"service/{page.part}", f"{page.port}:{UI_PORTS[page.part]}")
    return (kubectl, *target.arguments(), f"--namespace={ISTIO_NAMESPACE}", "port-forward", f"--address={_HERE}", *what)


def _login(part: Part) -> str:
    if part is Part.GRAFANA:
        key = RANDOM_SECRETS[GRAFANA_ADMIN]
        return (
            f"user admin; the password: kubectl get secret -n {ISTIO_NAMESPACE} {GRAFANA_ADMIN.name} "
            f"-o jsonpath='{{.data.{key}}}' | base64 -d"
        )
    if part is Part.KIALI:
        return "log in with a token: kubectl create token SERVICEACCOUNT -n NAMESPACE; you see what it may see"
    return ""


def _is_free(port: int) -> bool:
    try:
        with socket.create_server((_HERE, port)):
            return True
    except OSError:
        return False


def _free_port() -> int:
    with socket.create_server((_HERE, 0)) as server:
        number: int = server.getsockname()[1]
        return number
