"""Disaster recovery on the sandbox: traffic on prod, prod killed, failover, traffic on dr by name, failback."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console

from client import Client
from regions import HOST, Regions, until
from sohistio.sandbox.processes import ProcessId, end, processes_of

STEPS = 6
_console = Console(highlight=False)


def say(number: int, text: str) -> None:
    """The heading of a step."""
    _console.print(f"\n[bold cyan]── {number}/{STEPS} {text}[/]")


def sohistio(regions: Regions, *arguments: str) -> None:
    """Run sohistio as a user would; a failure ends the demo with its exit code."""
    _console.print(f"[bold]$ sohistio {' '.join(arguments)}[/]")
    code = subprocess.run([sys.executable, "-m", "sohistio", *arguments], env=regions.environ(), check=False).returncode
    if code:
        sys.exit(code)


def counted(asked: Client) -> None:
    """What the client has seen so far."""
    good = ", ".join(f"{count} answered by {region}" for region, count in asked.answers.items() if "fail" not in region)
    bad = ", ".join(f"{count} × {words}" for words, count in asked.failures.items()) or "none failed"
    _console.print(f"[green]The client: {good}; {bad}; outage {asked.outage:.1f} s[/]")


def main() -> None:
    """Two sandboxes of its own, ended at the end."""
    signal.signal(signal.SIGINT, lambda _number, _frame: None)  # sohistio ends cleanly; the demo with its exit code
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="sohistio-dr-") as folder:
        (Path(folder) / "regions").mkdir()
        regions = Regions(Path(folder) / "regions", Path(folder) / "state", ttl=1)
        try:
            _play(regions)
        finally:
            regions.stop()
    _console.print(f"\n[green]The demo took {time.monotonic() - begun:.0f} s.[/] Both sandboxes are gone.")


def _play(regions: Regions) -> None:
    say(1, "Two regions, prod and dr: real Istio and Envoys, an application, a DNS zone. This takes a minute")
    regions.start()
    until(lambda: _answers(regions))
    say(2, "Planned: traffic moves to dr and back while a client sends 20 requests a second. None may fail")
    with _client(regions) as asked:
        time.sleep(2)
        sohistio(regions, "failover", "--to", "dr", "--yes", "--confirm", "dr")
        time.sleep(2)
        sohistio(regions, "failback", "--to", "prod", "--yes", "--confirm", "prod")
        time.sleep(2)
    counted(asked)
    say(3, "A rehearsal: everything but the traffic")
    sohistio(regions, "failover", "--to", "dr", "--rehearse", "--yes", "--confirm", "dr")
    say(4, "Disaster: all processes of prod are killed, its API server too")
    with _client(regions) as asked:
        time.sleep(2)
        prod = regions.regions["prod"]
        end([ProcessId(item.pid, item.started) for item in processes_of(prod.kubeconfig.parent)], 0.1)
        say(5, "sohistio failover --to dr")
        sohistio(regions, "failover", "--to", "dr", "--drain-prod", "--yes", "--confirm", "dr")
        time.sleep(2)
    counted(asked)
    say(6, "An install during the failover: the gateways of dr stay on")
    sohistio(regions, "install", "--env", "dr", "--yes", "--confirm", "dr")


def _client(regions: Regions) -> Client:
    port = regions.dns.port if regions.dns else 0
    return Client(HOST, port, regions.authority.certificate)


def _answers(regions: Regions) -> bool:
    with _client(regions) as asked:
        time.sleep(0.5)
    return "prod" in asked.answers


if __name__ == "__main__":
    main()
