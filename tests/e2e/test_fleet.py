"""Five environments side by side: two real clusters, one that refuses, one that never answers, and a wrong file."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jsonschema
import pytest
from selenium.webdriver.common.by import By

from browser import chromium
from sandboxes import CHECKOUT, Sandbox
from side_by_side import HPA, MERGE, Fleet, calm_api, environment, install, kubeconfig, spoil
from terminal import to_the_end

pytestmark = pytest.mark.e2e

PATIENCE = 120.0
"""Seconds for what a watch is to show."""


@pytest.fixture(scope="module")
def fleet(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """`drifted` is on the session's sandbox, `calm`, its standby, on one of its own."""
    sandbox.reset()
    folder = tmp_path_factory.mktemp("fleet")
    environments = folder / "environments"
    environments.mkdir()
    (environments / "base").symlink_to(CHECKOUT / "environments" / "base")
    calm = {"cluster": {"sandbox": "calm"}, "standbyOf": "drifted", "applicationNamespaces": []}
    environment(environments, "calm", **calm)
    environment(environments, "drifted", applicationNamespaces=["shop"])
    environment(environments, "away", cluster={"context": "away"})
    environment(environments, "hangs", cluster={"context": "hangs"})
    environment(environments, "wrong", instio={})
    with socket.create_server(("127.0.0.1", 0)) as silent:  # it listens, and nobody ever accepts
        port = silent.getsockname()[1]
        servers = {"away": "https://127.0.0.1:9", "hangs": f"https://127.0.0.1:{port}"}
        found = Fleet(sandbox, environments, kubeconfig(folder, sandbox, **servers))
        up = sandbox.run("sandbox", "up", "--name", "calm", "--nodes", "1")
        assert up.returncode == 0, up.stderr
        try:
            with ThreadPoolExecutor() as pool:
                done = [pool.submit(install, found, name) for name in ("calm", "drifted")]
            assert all(future.result() for future in done)
            spoil(found)
            yield found
        finally:
            sandbox.run("sandbox", "down", "--name", "calm")


def test_five_at_once_and_none_hides_another(fleet: Fleet, tmp_path: Path) -> None:
    page = tmp_path / "fleet.html"
    before = fleet.box.writes()
    shown, seconds = fleet.without("hangs", "--all")
    one_line_each(shown)
    # A deadline that the clusters which answer keep on a busy machine, too.
    deadline = max(20, round(3 * seconds))
    told = fleet.run("--all", "--output", "json", "--html", str(page), "--deadline", f"{deadline}s")
    assert told.returncode == 1, told.stderr
    document = json.loads(told.stdout)
    jsonschema.validate(document, json.loads((CHECKOUT / "docs" / "schemas" / "status.schema.json").read_text()))
    rows = {row["environment"]: row for row in document["environments"]}
    assert {name: row["state"] for name, row in rows.items()} == {
        "away": "unreachable",
        "calm": "inSync",
        "drifted": "drift",
        "hangs": "unreachable",
        "wrong": "invalid",
    }
    assert "cannot be reached" in rows["away"]["problem"]
    late = f"it did not answer within {deadline} s"
    assert rows["hangs"]["problem"] == late or "cannot be reached" in rows["hangs"]["problem"]
    assert "instio" in rows["wrong"]["problem"]

    drifted = rows["drifted"]
    assert (drifted["installedVersion"], drifted["mode"]) == ("1.31.1", "reinstall")
    assert drifted["drift"] == {"objects": 1, "fields": 1, "byHand": 1, "editors": ["kubectl-edit"]}
    assert drifted["sidecars"] == {"stale": 1, "leftAlone": 0}
    assert drifted["address"] == {"wanted": "127.147.0.10", "actual": ["127.147.0.10"]}
    assert drifted["certificates"]["first"] == "Secret istio-system/web-tls"
    assert drifted["certificates"]["daysLeft"] in (8, 9)
    assert drifted["certificates"]["soon"] == ["Secret istio-system/web-tls"]
    assert {item["ready"] for item in drifted["gateways"]} == {3}

    calm = rows["calm"]
    assert (calm["inSync"], calm["mode"], calm["problem"]) == (True, "none", None)
    assert calm["drift"] == {"objects": 0, "fields": 0, "byHand": 0, "editors": []}
    assert calm["sidecars"] == {"stale": 0, "leftAlone": 0}
    assert {item["desired"] for item in calm["gateways"]} == {0}, "a standby's are off"
    assert calm["lastRun"]["mode"] == "install"
    assert calm["standby"]["lastSyncLeft"] == 3
    assert calm["standby"]["lastSyncAgeSeconds"] // 86400 == 2
    assert calm["standby"]["lastRehearsalAgeSeconds"] // 86400 == 40
    assert fleet.box.writes() == before

    assert page.stat().st_mode & 0o777 == 0o644
    assert [path.name for path in tmp_path.iterdir()] == ["fleet.html"]
    a_browser_shows_it(page, tmp_path, rows["hangs"]["problem"])


def a_browser_shows_it(page: Path, folder: Path, problem: str) -> None:
    with chromium(folder) as browser:
        browser.open(page.as_uri(), width=360)
        assert browser.complaints() == []
        summary = browser.driver.find_element(By.CSS_SELECTOR, ".summary").text
        assert summary == "5 environments: 1 in sync, 1 drift, 2 unreachable, 1 invalid"
        text = browser.driver.find_element(By.TAG_NAME, "main").text
        assert "1 (1 hand)" in text
        assert problem in text
        assert browser.run("return document.documentElement.scrollWidth") <= 360


def one_line_each(shown: subprocess.CompletedProcess[str]) -> None:
    assert shown.returncode == 1
    assert all(line.startswith("no answer yet from ") for line in shown.stderr.splitlines()), "a busy machine is slow"
    lines = shown.stdout.splitlines()
    assert [line.split()[0] for line in lines[:5]] == ["environment", "away", "calm", "drifted", "wrong"]
    assert "4 environments: 1 in sync, 1 drift, 1 unreachable, 1 invalid" in lines
    assert any("synced 2 d ago with 3 differences left" in line for line in lines)


def test_details_on_demand(fleet: Fleet) -> None:
    details = fleet.run("--env", "wrong")
    assert details.returncode == 1
    assert re.search(r"^what to do +\S", details.stdout, re.MULTILINE)
    drifted = fleet.run("--env", "drifted")
    assert drifted.returncode == 0, drifted.stdout
    assert re.search(r"^drift +1 object, 1 field; 1 set by kubectl-edit$", drifted.stdout, re.MULTILINE)
    assert re.search(r"^ends soon +Secret istio-system/web-tls$", drifted.stdout, re.MULTILINE)


def test_a_watch_in_a_log_has_a_line_for_each_change(fleet: Fleet, tmp_path: Path) -> None:
    page = tmp_path / "fleet.html"
    command = fleet.command("--env", "calm", "--watch", "--every", "5s", "--html", str(page))
    with subprocess.Popen(
        command, env=fleet.environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as watch:
        assert watch.stdout is not None
        patience = threading.Timer(PATIENCE, watch.kill)
        patience.start()
        try:
            assert watch.stdout.readline().endswith("1 environment: 1 in sync\n")
            assert watch.stdout.readline().endswith("calm: in sync\n")
            body = {"spec": {"maxReplicas": 8}}
            calm_api(fleet).request("PATCH", HPA, query={"fieldManager": "lens"}, body=body, content_type=MERGE)
            changed = [watch.stdout.readline() for _ in range(3)]
            assert [line.partition(" ")[2] for line in changed] == [
                "calm: state in sync → drift\n",
                "calm: mode none → reinstall\n",
                "calm: drift none → 1 object, 1 field; 1 set by lens\n",
            ]
            calm_api(fleet).request("PATCH", HPA, body={"spec": {"maxReplicas": 10}}, content_type=MERGE)
            assert watch.stdout.readline().endswith("calm: state drift → in sync\n")
            text = page.read_text(encoding="utf-8")
            assert '<meta http-equiv="refresh" content="5">' in text
        finally:
            watch.send_signal(signal.SIGINT)
            rest = watch.stdout.read()
            patience.cancel()
    assert watch.returncode == 0, rest
    assert "Traceback" not in rest


def test_a_watch_in_a_terminal_is_drawn_anew_until_ctrl_c(fleet: Fleet) -> None:
    own_end, its_end = pty.openpty()
    command = fleet.command("--env", "calm", "--watch", "--every", "5s")
    environ = fleet.environ | {"TERM": "xterm-256color", "COLUMNS": "100"}
    with subprocess.Popen(command, env=environ, stdin=its_end, stdout=its_end, stderr=its_end) as watch:
        os.close(its_end)
        try:
            until_shown(own_end, 2)
            watch.send_signal(signal.SIGINT)
            rest = to_the_end(own_end)
        except BaseException:
            watch.kill()
            raise
    assert watch.returncode == 0, rest
    assert rest.rstrip().endswith("\x1b[?25h"), "the cursor is back"
    assert "Traceback" not in rest


def until_shown(terminal: int, times: int) -> str:
    text, end = "", time.monotonic() + PATIENCE
    while len(set(re.findall(r"looked at ([\d:]+) UTC, again every 5 s; Ctrl-C ends", text))) < times:
        ready, _, _ = select.select([terminal], [], [], max(0.0, end - time.monotonic()))
        assert ready, text
        text += os.read(terminal, 65_536).decode()
    assert "calm" in text
    return text


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--watch", "--output", "json"), "--watch and --output json exclude each other"),
        (("--watch", "--every", "4s"), "--every 4s is too often"),
        (("--every", "30s"), "--every is given without --watch"),
        (("--deadline", "soon"), "--deadline 'soon' is not a duration"),
        (("--html", "/nowhere/fleet.html"), "the page could not be written to /nowhere/fleet.html"),
        (("--html", "/"), "it is a folder"),
        (("--html", "/dev/null"), "it is no ordinary file"),
        (("--html", f"/tmp/{'x' * 300}.html"), "File name too long"),  # noqa: S108 — nothing is written
        (("--html", "-"), "a page does not go to stdout"),
    ],
)
def test_flags_of_the_fleet_that_make_no_sense(sandbox: Sandbox, flags: tuple[str, ...], words: str) -> None:
    done = sandbox.run("status", *flags)
    assert done.returncode == 2, done.stderr
    assert words in done.stderr
