"""A failover as it is watched and remembered: the gateways' pods, the first answer, a lost record, each item's age."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from acting import WarmRegions, acting
from json_schemas import check
from real_prometheus import Exposed, RealPrometheus
from regions import HOST, LONGEST, Region, Regions, until
from sohistio.model.failover_mark import FailoverMark
from sohistio.model.mode import Mode
from sohistio.model.record import Record
from sohistio.sandbox.processes import end, processes_of, processes_with
from sohistio.sandbox.traffic.agent import POD_VARIABLE
from unsafe_starts import RECORD

pytestmark = pytest.mark.e2e

FORWARD = ("failover", "--to", "dr", "--yes", "--confirm", "dr")
BACK = ("failback", "--to", "prod", "--yes", "--confirm", "prod")
INGRESS = "/apis/apps/v1/namespaces/istio-system/deployments/istio-ingressgateway"


@pytest.fixture(scope="module")
def regions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Regions]:
    found = WarmRegions(tmp_path_factory.mktemp("regions"), tmp_path_factory.mktemp("state"), ttl=1)
    try:
        found.start()
        until(lambda: "refused" not in found.run("failover", "--to", "dr", "--plan", check=False).stderr)
        yield found
    finally:
        found.stop()


def recorded(region: Region) -> Record:
    found = region.api.get(RECORD)
    assert found is not None
    return Record.of(json.loads(found["data"]["record.json"]))


def mark_of(region: Region) -> FailoverMark:
    mark = recorded(region).failover
    assert mark is not None
    return mark


def api_server(region: Region) -> int:
    """Its process."""
    lines = {
        item.pid: Path(f"/proc/{item.pid}/cmdline").read_bytes() for item in processes_of(region.kubeconfig.parent)
    }
    (found,) = (pid for pid, line in lines.items() if line.split(b"\0")[0].endswith(b"/kube-apiserver"))
    return found


def run(regions: Regions, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """With other environment variables."""
    return regions.process(arguments, regions.environ() | variables, LONGEST)


def folded(table: str) -> str:
    """Without the lines that a narrow screen makes."""
    return " ".join(table.split())


def test_all_that_a_watch_finds_is_in_the_report(regions: Regions, tmp_path: Path) -> None:
    done = regions.run(*BACK, "--watch", "4s", "--report", str(tmp_path / "report.md"), "-o", "json")
    found = check(done.stdout, "FailoverReport")["watch"]
    assert (found["environment"], found["failed"], found["problems"]) == ("prod", 0, [])
    assert found["requests"] >= 3
    assert 0 < found["milliseconds"]["p50"] <= found["milliseconds"]["p95"] <= found["milliseconds"]["slowest"]
    assert {item["name"]: (item["ready"], item["restarts"]) for item in found["gateways"]} == {
        "istio-ingressgateway": (3, 0),
        "istio-egressgateway": (3, 0),
    }
    assert "istio-egressgateway 3/3 ready" in done.stderr
    page = (tmp_path / "report.md").read_text()
    assert "## prod, watched for" in page
    assert "- istio-ingressgateway: 3 ready, restarts 0" in page


class Served(Exposed):
    """Counters of a gateway that answers 100 requests a second, `bad` of them with 503."""

    def __init__(self, bad: int) -> None:
        self._begun, self._bad = time.monotonic(), bad
        super().__init__("")

    @property
    def text(self) -> str:
        """What Prometheus gets."""
        seconds = time.monotonic() - self._begun
        labels = 'reporter="source",source_workload="istio-ingressgateway",response_code'
        counts = {"200": (100 - self._bad) * seconds, "503": self._bad * seconds}
        lines = [f'istio_requests_total{{{labels}="{code}"}} {count:.0f}' for code, count in counts.items()]
        return "".join(f"{line}\n" for line in ("# TYPE istio_requests_total counter", *lines))

    @text.setter
    def text(self, _: str) -> None:
        """It grows by itself."""


@contextmanager
def declared(regions: Regions, name: str, **keys: Any) -> Iterator[None]:
    """An environment's file with these keys laid over what it has."""
    file = regions.environments / name / "environment.yaml"
    before = file.read_text()
    file.write_text(yaml.safe_dump(yaml.safe_load(before) | keys))
    try:
        yield
    finally:
        file.write_text(before)


@pytest.mark.parametrize(("bad", "code"), [(1, 0), (20, 1)])
def test_the_watch_reads_what_prometheus_has_of_all_clients(
    regions: Regions, tmp_path: Path, bad: int, code: int
) -> None:
    with (
        Served(bad) as served,
        RealPrometheus(tmp_path, {"gateway": [served.url]}) as prometheus,
        declared(regions, "prod", monitoring={"prometheusURL": prometheus.url}),
    ):
        until(lambda: bool(prometheus.answer("rate(istio_requests_total[1m]) > 0")))
        done = regions.run(*BACK, "--watch", "4s", "-o", "json", check=False)
    assert done.returncode == code, done.stderr
    found = check(done.stdout, "FailoverReport")["watch"]
    assert found["failed"] == 0, "the probes' own requests are well"
    assert found["prometheus"]["requestsPerSecond"] > 1
    assert found["prometheus"]["worstFailedShare"] == pytest.approx(
        bad / 100, abs=0.05
    )  # Prometheus extrapolates each counter
    assert "requests/s through the gateways" in done.stderr
    assert ("ended in 5xx (Prometheus)" in done.stderr) == (code == 1)


def test_a_watch_whose_prometheus_is_silent_goes_by_its_probes(regions: Regions) -> None:
    with declared(regions, "prod", monitoring={"prometheusURL": "http://127.0.0.1:1"}):
        done = regions.run(*BACK, "--watch", "2s", "-o", "json")
    assert check(done.stdout, "FailoverReport")["watch"]["prometheus"] is None
    assert "not known how all clients do: Prometheus at http://127.0.0.1:1 cannot be asked" in done.stderr


def test_a_gateway_that_is_restarted_fails_the_watch(regions: Regions) -> None:
    prod = regions.regions["prod"]
    pod = prod.api.items("/api/v1/namespaces/istio-system/pods", labels="app=istio-ingressgateway")[0]
    failed = acting(
        regions,
        (*BACK, "--watch", "14s"),
        "watch prod for 14s …",
        (3, lambda: end(processes_with(POD_VARIABLE, pod["metadata"]["uid"]), 0.1)),
    )
    assert failed.code == 1, failed.said
    found = check(failed.document, "FailoverReport")["watch"]
    (ingress,) = (item for item in found["gateways"] if item["name"] == "istio-ingressgateway")
    assert ingress["restarts"] == 1
    assert found["seconds"] > 12, "it is watched to the end"
    assert "istio-ingressgateway: its pods were restarted once" in failed.said


def test_a_gateway_without_a_ready_pod_ends_the_watch(regions: Regions) -> None:
    api = regions.regions["prod"].api
    try:
        off: Callable[[], object] = lambda: api.merge_patch(INGRESS, {"spec": {"replicas": 0}})  # noqa: E731
        failed = acting(regions, (*BACK, "--watch", "1m"), "watch prod for 1m …", (2, off))
    finally:
        api.merge_patch(INGRESS, {"spec": {"replicas": 3}})
        until(lambda: (api.get(INGRESS) or {})["status"].get("readyReplicas") == 3)
    assert failed.code == 1, failed.said
    found = check(failed.document, "FailoverReport")["watch"]
    assert found["seconds"] < 30
    assert "istio-ingressgateway had no ready pod" in failed.said
    assert "Forward: `sohistio failback --to prod`" in failed.said


def test_the_first_answer_is_measured_while_the_api_server_is_silent(regions: Regions) -> None:
    dr = regions.regions["dr"]
    server = api_server(dr)
    stop, go_on = (partial(os.kill, server, sign) for sign in (signal.SIGSTOP, signal.SIGCONT))
    done = acting(regions, FORWARD, f"done: switch {HOST}", (0, stop), (12, go_on))
    assert done.code == 0, done.said
    seconds = check(done.document, "FailoverReport")["seconds"]
    assert 0 <= seconds["answered"] - seconds["switched"] < 4
    assert "the first good answer by name: dr answers" in done.said
    regions.run(*BACK)


def test_a_lost_record_keeps_the_hold_down(regions: Regions) -> None:
    prod, dr = regions.regions["prod"], regions.regions["dr"]
    regions.run(*FORWARD)
    dr.api.delete(RECORD)
    assert "failover: active (no record: DNS leads here)" in folded(regions.run("status", "--env", "dr").stdout)
    standby = check(regions.run("status", "--env", "dr", "-o", "json").stdout, "Status")["environments"][0]["standby"]
    assert (standby["stage"], standby["recorded"]) == ("active", False)
    regions.run(*FORWARD)
    assert mark_of(dr).switched == mark_of(prod).since, "the other side's record knows it"
    prod.api.delete(RECORD)
    dr.api.delete(RECORD)
    before = time.time()
    regions.run(*FORWARD)
    assert mark_of(dr).switched
    assert mark_of(dr).switched >= time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(before))
    regions.write_environments(holdDown="10m")
    refused = regions.run(*BACK, check=False)
    assert (refused.returncode, "hold-down for another" in refused.stderr) == (3, True)
    regions.write_environments()
    regions.run(*BACK)


def test_each_readiness_item_is_remembered_with_its_age(regions: Regions) -> None:
    dr = regions.regions["dr"]
    regions.run("failover", "--to", "dr", "--rehearse", "--yes", "--confirm", "dr")
    kept = {item.name: item for item in recorded(dr).readiness}
    assert "failover-rehearsal" not in kept, "the rehearsal itself says when it was"
    assert {"failover-addresses", "failover-dns", "failover-capacity", "failover-probes"} <= kept.keys()
    assert recorded(regions.regions["prod"]).readiness == ()
    shown = check(regions.run("status", "--env", "dr", "-o", "json").stdout, "Status")["environments"][0]["standby"]
    assert {item["name"]: item["at"] for item in shown["readiness"]} == {name: item.at for name, item in kept.items()}
    assert all(0 <= item["ageSeconds"] < 300 for item in shown["readiness"])
    assert "readiness: " in folded(regions.run("status", "--env", "dr").stdout)
    time.sleep(1.1)
    regions.run(*FORWARD, "--accept", "failover-hook", "--because", "a drill")
    now = {item.name: item.at for item in recorded(dr).readiness}
    assert now["failover-hook"] == kept["failover-hook"].at, "it was not looked at"
    assert now["failover-dns"] > kept["failover-dns"].at
    regions.run(*BACK)


def test_prometheus_is_told_of_a_rehearsal(regions: Regions) -> None:
    dr, path = regions.regions["dr"], "/api/v1/namespaces/istio-system/configmaps/prometheus-rehearsal"
    rehearsal = ("failover", "--to", "dr", "--rehearse", "--yes", "--confirm", "dr")
    with declared(regions, "dr", monitoring={"prometheus": {}}):
        regions.run("install", "--env", "dr", "--yes", "--confirm", "dr")
        regions.run(*rehearsal)
        last = recorded(dr).last_of(Mode.REHEARSE)
        assert last is not None
        told = yaml.safe_load((dr.api.get(path) or {})["data"]["rehearsal.yml"])
        (rule,) = told["groups"][0]["rules"]
        began = int(datetime.fromisoformat(last.started).timestamp())
        assert rule == {"record": "sohistio_rehearsal_timestamp_seconds", "expr": f"vector({began})"}
        in_place = regions.run("plan", "--env", "dr", "--exit-code", check=False)
        assert in_place.returncode == 0, in_place.stdout
    regions.run("install", "--env", "dr", "--yes", "--confirm", "dr")
    assert dr.api.get(path) is None


NOWHERE = {"authority": "localhost:1", "resourceManager": "https://localhost:1", "instanceDiscovery": False}
AKS = {"subscription": "s", "resourceGroup": "rg-dr", "name": "aks-dr", "cloud": NOWHERE}
PRINCIPAL = {"AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "c", "AZURE_CLIENT_SECRET": "x"}


def test_azure_is_down_too(regions: Regions, tmp_path: Path) -> None:
    """The error names the command with the person's own kubeconfig; that command does it."""
    dr = regions.regions["dr"]
    document = yaml.safe_load(dr.kubeconfig.read_text())
    document["contexts"][0]["name"] = "aks-dr"
    own = tmp_path / "config"
    own.write_text(yaml.safe_dump(document))
    own.chmod(0o600)
    file = regions.environments / "dr" / "environment.yaml"
    environment = yaml.safe_load(file.read_text())
    file.write_text(yaml.safe_dump(environment | {"cluster": {"aks": AKS}}))
    accepted = ("--accept", "cluster-identity", "--because", "Azure is down")
    try:
        refused = run(regions, *FORWARD, KUBECONFIG=str(own), **PRINCIPAL)
        assert refused.returncode == 3, refused.stderr
        assert f"if {dr.api.server} is the API server of dr: " in folded(refused.stderr)
        given = ("--kubeconfig", str(own), "--context", "aks-dr")
        assert f"`sohistio failover --to dr {' '.join(given)} {' '.join(accepted[:2])} --because" in folded(
            refused.stderr
        )
        unaccepted = run(regions, *FORWARD, *given, **PRINCIPAL)
        assert (unaccepted.returncode, "it cannot be confirmed that" in unaccepted.stderr) == (3, True)
        done = run(regions, *FORWARD, *given, *accepted, **PRINCIPAL)
        assert done.returncode == 0, done.stdout + done.stderr
        assert mark_of(dr).accepted == "cluster-identity: Azure is down"
    finally:
        regions.write_environments()
    regions.run(*BACK)
