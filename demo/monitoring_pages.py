"""Makes the pictures of docs/monitoring.md: Debian's Prometheus with our rules and queries, in a real browser.

Run by `make pictures`. It scrapes a real istiod and real Envoys, of a sandbox of its own in a temporary folder.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from urllib.parse import quote, urlsplit

import yaml

CHECKOUT = Path(__file__).parents[1]
PICTURES = CHECKOUT / "docs" / "pictures"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# Of the dashboards Mesh Overview and Performance; `rate` over less than Grafana's interval, as little time has passed.
QUERIES = (
    "sum by (app) (rate(process_cpu_seconds_total[30s]))",
    "min(istio_agent_cert_expiry_seconds)",
)
MONITORING: dict[str, dict[str, str]] = {"prometheus": {}, "grafana": {}, "kiali": {}, "jaeger": {}}
_WATCHED_SECONDS = 110.0


def sohistio(*arguments: str, codes: tuple[int, ...] = (0,)) -> str:
    """What it prints. Raises CalledProcessError where it ends with another exit code."""
    command = [sys.executable, "-m", "sohistio", *arguments]
    done = subprocess.run(command, cwd=CHECKOUT, check=False, stdout=subprocess.PIPE, text=True)
    if done.returncode not in codes:
        raise subprocess.CalledProcessError(done.returncode, command, done.stdout)
    return done.stdout


def environments(folder: Path) -> tuple[str, ...]:
    """The shipped ones, with monitoring in `local`; as flags."""
    copy = shutil.copytree(CHECKOUT / "environments", folder / "environments")
    file = copy / "local" / "environment.yaml"
    number = json.loads(sohistio("sandbox", "status", "--output", "json"))["traffic"]["number"]
    changes = {"monitoring": MONITORING, "ingressAddress": f"127.{100 + number}.2.10"}
    file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | changes))
    return ("--env", "local", "--environments", str(copy))


def settings(folder: Path, flags: tuple[str, ...]) -> Path:
    """prometheus.yml: the rendered rules, and the sandbox's programs where they listen."""
    rendered = list(yaml.safe_load_all(sohistio("render", *flags, "--monitoring")))
    (config,) = [obj for obj in rendered if (obj["kind"], obj["metadata"]["name"]) == ("ConfigMap", "prometheus")]
    (folder / "rules.yml").write_text(config["data"]["rules.yml"])
    parts = json.loads(sohistio("sandbox", "status", "--output", "json"))["parts"]
    envoys = [urlsplit(part["address"]).netloc for part in parts if part["name"].startswith("envoy-")]
    (istiod,) = [part["pid"] for part in parts if part["name"].startswith("istiod-")]
    words = Path(f"/proc/{istiod}/cmdline").read_text().split("\0")
    place = [word.partition("=")[2] for word in words if word.startswith("--monitoringAddr=")][-1]
    jobs = [
        {"job_name": "istiod", "static_configs": [{"targets": [place], "labels": {"app": "istiod"}}]},
        {
            "job_name": "proxies",
            "metrics_path": "/stats/prometheus",
            "static_configs": [{"targets": envoys, "labels": {"app": "istio-gateways"}}],
        },
    ]
    every = {"scrape_interval": "5s", "evaluation_interval": "5s"}
    document = {"global": every, "rule_files": ["rules.yml"], "scrape_configs": jobs}
    (folder / "prometheus.yml").write_text(yaml.safe_dump(document))
    return folder / "prometheus.yml"


def photograph(browser: str, url: str, file: Path, size: str) -> None:
    """A page as a PNG."""
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--window-size={size}"]
    command += ["--virtual-time-budget=8000", f"--screenshot={file}", url]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL, timeout=120)


def draw(browser: str, config: Path, folder: Path) -> None:
    """Prometheus runs for a while; then its pages are photographed."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        place = f"127.0.0.1:{free.getsockname()[1]}"
    command = ["prometheus", f"--config.file={config.name}", f"--storage.tsdb.path={folder / 'data'}"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([*command, f"--web.listen-address={place}"], cwd=folder, stdout=log, stderr=log)
        try:
            time.sleep(_WATCHED_SECONDS)
            urllib.request.urlopen(f"http://{place}/-/ready", timeout=5).close()
            photograph(browser, f"http://{place}/classic/alerts", PICTURES / "alerts.png", "1100,560")
            asked = "&".join(
                f"g{number}.expr={quote(query)}&g{number}.tab=0&g{number}.range_input=1m"
                for number, query in enumerate(QUERIES)
            )
            photograph(browser, f"http://{place}/classic/graph?{asked}", PICTURES / "queries.png", "1100,1400")
        finally:
            process.terminate()
            process.wait(20)


def main() -> None:
    """Both pictures; nothing where there is no browser."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        print(
            "docs/pictures/alerts.png and queries.png are left as they are: there is no chromium (apt-get install it)"
        )
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        os.environ["XDG_STATE_HOME"] = str(folder / "state")
        sohistio("sandbox", "up", "--traffic", "--nodes", "1")
        try:
            flags = environments(folder)
            sohistio("install", *flags, "--yes")
            draw(browser, settings(folder, flags), folder)
        finally:
            sohistio("sandbox", "down")


if __name__ == "__main__":
    main()
