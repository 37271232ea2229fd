"""Alerts: each fires when it should and only then, by promtool; and one reaches a receiver, through an Alertmanager."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from built import built
from loopback import LoopbackServer
from monitored import WHOLE, installation
from sohistio.model.monitoring import Alerts, SecretKey
from sohistio.monitoring.alerts import alerts, rehearsal_rules, rules
from sohistio.monitoring.prometheus import alertmanager_settings
from sohistio.monitoring.scraping import prometheus_settings
from sohistio.sandbox.ports import free_ports

pytestmark = pytest.mark.e2e

INSTALLED = installation(rehearsed=1_795_000_000)
UP = {"series": 'up{job="istiod"}', "values": "1x2000"}
REJECTS = 'pilot_total_xds_rejects{job="istiod",type="lds"}'
DAY = 24 * 60


def requests(code: str, a_minute: int, gateway: str = "istio-ingressgateway") -> dict[str, str]:
    labels = f'reporter="source",source_workload="{gateway}",response_code="{code}"'
    return {"series": f"istio_requests_total{{{labels}}}", "values": f"0+{a_minute}x2000"}


def rehearsed(*, days: int) -> dict[str, str]:
    """promtool's time begins at 0."""
    return {"series": "sohistio_rehearsal_timestamp_seconds", "values": f"{-days * DAY * 60}x120"}


# Of each: what there is, minute by minute; then at which minutes it fires, and at which it does not.
STORIES: dict[str, list[tuple[str, list[dict[str, str]], list[int], list[int]]]] = {
    "IstiodDown": [
        ("there is none", [{"series": 'up{job="proxies"}', "values": "1x20"}], [3], [1]),
        ("one of two answers", [{"series": 'up{job="istiod",pod="a"}', "values": "0x20"}, UP], [], [10]),
        ("none answers any more", [{"series": 'up{job="istiod"}', "values": "1x5 0x20"}], [10], [4, 6]),
    ],
    "IstioConfigurationRejected": [
        ("the first rejection", [{"series": REJECTS, "values": "_x20 4x200"}], [25, 75], [19, 90]),
        ("one more", [{"series": REJECTS, "values": "1x100 2x200"}], [105, 158], [90, 170]),
        (
            "one by an istiod that came a while ago, in place of one with many",
            [
                {"series": REJECTS.replace("type", 'pod="old",type'), "values": "12x60"},
                {"series": REJECTS.replace("type", 'pod="new",type'), "values": "_x65 1x100"},
            ],
            [70],
            [60],
        ),
        ("long ago", [{"series": REJECTS, "values": "7x500"}], [], [120, 400]),
    ],
    "IstioAuthorityEnds": [
        (
            "the root, in 20 days",
            [{"series": 'citadel_server_root_cert_expiry_timestamp{job="istiod"}', "values": f"{20 * DAY * 60}x{DAY}"}],
            [90],
            [30],
        ),
        (
            "the one between, in 20 days",
            [
                {
                    "series": 'citadel_server_root_cert_expiry_timestamp{job="istiod"}',
                    "values": f"{900 * DAY * 60}x{DAY}",
                },
                {
                    "series": 'citadel_server_cert_chain_expiry_timestamp{job="istiod"}',
                    "values": f"{20 * DAY * 60}x{DAY}",
                },
            ],
            [90],
            [],
        ),
        (
            "in 300 days",
            [
                {
                    "series": 'citadel_server_root_cert_expiry_timestamp{job="istiod"}',
                    "values": f"{300 * DAY * 60}x{DAY}",
                }
            ],
            [],
            [90],
        ),
    ],
    "IstioWorkloadCertificateEnds": [
        (
            "not renewed",
            [{"series": 'istio_agent_cert_expiry_seconds{job="proxies",pod="a"}', "values": "43200-60x700"}],
            [495],
            [470],
        ),
        (
            "renewed at half of its life",
            [
                {
                    "series": 'istio_agent_cert_expiry_seconds{job="proxies",pod="a"}',
                    "values": "86400-60x720 86400-60x700",
                }
            ],
            [],
            [700, 730, 1400],
        ),
    ],
    "IstioGatewayErrors": [
        ("one in ten", [requests("200", 90), requests("503", 10)], [20], [3]),
        ("one in a hundred", [requests("200", 99), requests("503", 1)], [], [20]),
        ("of another workload", [requests("503", 99, "orders")], [], [20]),
    ],
    "IstioStandbyNotOff": [
        (
            "a gateway's pod",
            [
                {
                    "series": 'up{job="proxies",namespace="istio-system",pod="istio-ingressgateway-5d8-x2x"}',
                    "values": "1x30",
                }
            ],
            [15],
            [5],
        ),
        (
            "another pod of the namespace, and one of its name elsewhere",
            [
                {"series": 'up{job="proxies",namespace="istio-system",pod="istiod-5d8-x2x"}', "values": "1x30"},
                {"series": 'up{job="proxies",namespace="shop",pod="istio-ingressgateway-5d8-x2x"}', "values": "1x30"},
            ],
            [],
            [15],
        ),
    ],
    "IstioRehearsalTooOld": [
        ("never", [UP], [65], [30]),
        ("91 days ago", [rehearsed(days=91)], [65], [30]),
        ("89 days ago", [rehearsed(days=89)], [], [65]),
    ],
}


def test_every_alert_has_its_stories() -> None:
    assert STORIES.keys() == {alert.name for alert in alerts(INSTALLED)}
    assert all(
        any(fires for *_, fires, _ in stories) and any(quiet for *_, quiet in stories) for stories in STORIES.values()
    )
    of_prod = {alert.name for alert in alerts(installation(is_standby=False))}
    assert STORIES.keys() - of_prod == {"IstioStandbyNotOff", "IstioRehearsalTooOld"}


def test_each_fires_when_it_should_and_only_then(tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text(yaml.safe_dump(rules(INSTALLED)))
    tests = [
        {
            "name": f"{name}: {story}",
            "interval": "1m",
            "input_series": series,
            # Whether it fires, not in which words: those are templates of the rule's own.
            "promql_expr_test": [
                {
                    "expr": f'count(ALERTS{{alertname="{name}",alertstate="firing"}}) or vector(0)',
                    "eval_time": f"{minute}m",
                    "exp_samples": [{"labels": "{}", "value": float(expected)}],
                }
                for expected, minutes in ((1, fires), (0, quiet))
                for minute in minutes
            ],
        }
        for name, stories in STORIES.items()
        for story, series, fires, quiet in stories
    ]
    file = tmp_path / "tests.yml"
    file.write_text(yaml.safe_dump({"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": tests}))
    done = subprocess.run([built("promtool"), "test", "rules", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_files_are_what_their_programs_read(tmp_path: Path) -> None:
    """Prometheus' with its rules, those of a rehearsal, Alertmanager's."""
    settings = prometheus_settings(INSTALLED)
    settings["rule_files"] = [str(tmp_path / name) for name in ("rules.yml", "rehearsal.yml")]
    assert WHOLE.alerts is not None
    files = {
        "prometheus.yml": settings,
        "rules.yml": rules(INSTALLED),
        "rehearsal.yml": rehearsal_rules(1_795_000_000),
        "alertmanager.yml": alertmanager_settings(WHOLE.alerts),
    }
    for name, content in files.items():
        (tmp_path / name).write_text(yaml.safe_dump(content))
    commands = (
        # The token's file is in the pod alone.
        (built("promtool"), "check", "config", "--syntax-only", str(tmp_path / "prometheus.yml")),
        (built("promtool"), "check", "rules", str(tmp_path / "rules.yml"), str(tmp_path / "rehearsal.yml")),
        (built("amtool"), "check-config", str(tmp_path / "alertmanager.yml")),
    )
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


class Webhook(LoopbackServer):
    """Keeps what is posted to it."""

    def __init__(self) -> None:
        self.posted: list[dict[str, Any]] = []
        webhook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                webhook.posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Quiet."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{server.server_port}/hook"
        super().__init__(server)


def at_once(settings: dict[str, Any]) -> dict[str, Any]:
    """The rules without their `for`: minutes are not waited for here."""
    for group in settings["groups"]:
        for rule in group["rules"]:
            rule.pop("for")
    return settings


def posted(webhook: Webhook) -> dict[str, dict[str, Any]]:
    """The alerts that have come, by name; on a busy machine they may come one by one."""
    return {alert["labels"]["alertname"]: alert for post in tuple(webhook.posted) for alert in post["alerts"]}


def test_an_alert_reaches_the_receiver(tmp_path: Path) -> None:
    """Nothing answers as istiod: the rendered rule fires, and the rendered receiver gets it; with times cut short."""
    secret = tmp_path / "secrets" / "on-call"
    secret.mkdir(parents=True)
    metrics, manager = (f"127.0.0.1:{port}" for port in free_ports(2))
    declared = replace(WHOLE, alerts=Alerts(SecretKey("on-call", "url")))
    assert declared.alerts is not None
    receiver = yaml.safe_dump(alertmanager_settings(declared.alerts)).replace(
        "/etc/alertmanager-secrets", str(secret.parent)
    )
    (tmp_path / "alertmanager.yml").write_text(receiver.replace("group_wait: 30s", "group_wait: 0s"))
    settings = prometheus_settings(installation(declared))
    settings |= {"rule_files": [str(tmp_path / "rules.yml")], "scrape_configs": []}
    settings["global"] |= {"evaluation_interval": "1s", "scrape_interval": "1s", "scrape_timeout": "1s"}
    settings["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] = [manager]
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(settings))
    (tmp_path / "rules.yml").write_text(yaml.safe_dump(at_once(rules(installation(declared)))))
    commands = (
        (
            built("alertmanager"),
            f"--config.file={tmp_path / 'alertmanager.yml'}",
            f"--storage.path={tmp_path / 'alerts'}",
            f"--web.listen-address={manager}",
            "--cluster.listen-address=",
        ),
        (
            built("prometheus"),
            f"--config.file={tmp_path / 'prometheus.yml'}",
            f"--storage.tsdb.path={tmp_path / 'data'}",
            f"--web.listen-address={metrics}",
            "--rules.alert.resend-delay=1s",  # the first time nobody is found yet
        ),
    )
    with Webhook() as webhook, (tmp_path / "log").open("wb") as log:
        (secret / "url").write_text(webhook.url)
        processes = [subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT) for command in commands]
        try:
            deadline = time.monotonic() + 40
            while "IstiodDown" not in posted(webhook) and time.monotonic() < deadline:
                threading.Event().wait(0.2)
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                process.wait(20)
    found = posted(webhook)
    assert "IstiodDown" in found, (tmp_path / "log").read_text()[-2000:]
    down = found["IstiodDown"]
    assert (down["labels"]["environment"], down["labels"]["severity"]) == ("qa", "critical")
    assert down["annotations"]["runbook_url"] == "https://wiki.example.com/mesh#istioddown"
    assert down["annotations"]["summary"] == "No istiod answers"
