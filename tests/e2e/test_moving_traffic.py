"""Failover, failback and rehearsal between two regions: real requests through real Envoys, a real name server."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import unsafe_clusters as clusters
import unsafe_starts as unsafe
from acting import WarmRegions
from aks import USER
from aks_regions import aks_regions
from azure_runs import MOVES, again, not_executed, run, titled
from client import Client
from json_schemas import check
from regions import HOST, Region, Regions, until
from sohistio.model.mode import Mode
from sohistio.model.record import Record

pytestmark = pytest.mark.e2e

GATEWAYS = ("istio-ingressgateway", "istio-egressgateway")
FORWARD = ("failover", "--to", "dr", "--yes", "--confirm", "dr")
BACK = ("failback", "--to", "prod", "--yes", "--confirm", "prod")
WRONG = {"url": f"https://{HOST}/", "header": "x-region: nowhere-{environment}"}


@pytest.fixture(scope="module")
def regions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Regions]:
    found = WarmRegions(tmp_path_factory.mktemp("regions"), tmp_path_factory.mktemp("state"), ttl=1)
    try:
        found.start()
        until(lambda: "prod" in answered(found, 1))
        yield found
    finally:
        found.stop()


def answered(regions: Regions, seconds: float) -> dict[str, int]:
    with client(regions) as asked:
        time.sleep(seconds)
    return dict(asked.answers)


def client(regions: Regions) -> Client:
    assert regions.dns is not None
    return Client(HOST, regions.dns.port, regions.authority.certificate)


def replicas(region: Region) -> dict[str, int]:
    path = "/apis/apps/v1/namespaces/istio-system/deployments/{}"
    found = {name: region.api.get(path.format(name)) for name in GATEWAYS}
    return {name: item["spec"]["replicas"] for name, item in found.items() if item is not None}


def record(region: Region) -> Record:
    found = region.api.get("/api/v1/namespaces/istio-system/configmaps/sohistio-record")
    assert found is not None
    return Record.of(json.loads(found["data"]["record.json"]))


def stage(region: Region) -> str:
    mark = record(region).failover
    return mark.stage.value if mark else ""


def writes(region: Region, user: str = "sohistio-admin") -> list[str]:
    """What sohistio has written to the region, without its lock: verbs and places, from the audit log."""
    own = ('"stage":"ResponseComplete"', f'"username":"{user}"')  # to read all as JSON takes a second, time and again
    with (region.kubeconfig.parent / "audit.log").open(encoding="utf-8") as log:
        events = [json.loads(line) for line in log if all(words in line for words in own)]
    return [
        f"{event['verb']} {event['requestURI']}"
        for event in events
        if event["stage"] == "ResponseComplete"
        and event["user"].get("username") == user
        and event["verb"] not in ("get", "list", "watch")
        and "/leases" not in event["requestURI"]
        and "accessreviews" not in event["requestURI"]
        and "dryRun=All" not in event["requestURI"]
    ]


def test_a_planned_failover_and_the_rollback_target_lose_no_request(regions: Regions, tmp_path: Path) -> None:
    prod, dr = regions.regions["prod"], regions.regions["dr"]
    assert replicas(dr) == dict.fromkeys(GATEWAYS, 0)
    with client(regions) as asked:
        time.sleep(1)
        there = regions.run(*FORWARD, "--watch", "2s", "--report", str(tmp_path / "report.md"), "-o", "json")
        time.sleep(1)
        on_dr = answered(regions, 1)
        during = regions.run("install", "--env", "dr", "--yes", "--confirm", "dr")
        taken = regions.run("uninstall", "--env", "dr", "--yes", "--confirm", "dr", check=False)
        synced = regions.run("sync", "--from", "prod", "--to", "dr", "--yes", "--confirm", "dr", check=False)
        back = regions.run(*BACK)
        time.sleep(1)
    assert (taken.returncode, "dr serves in place of prod" in taken.stderr) == (3, True)
    assert (synced.returncode, "a failover to dr is active since" in synced.stderr) == (3, True)
    assert asked.failures == {}
    assert {"prod", "dr"} == asked.answers.keys()
    assert on_dr.keys() == {"dr"}
    report = check(there.stdout, "FailoverReport")
    assert report["outcome"] == "done"
    check(json.dumps(report["runs"][0]), "RunResult")
    seconds = report["seconds"]
    assert seconds["decided"] < seconds["scaled"] < seconds["proven"] <= seconds["switched"] <= seconds["answered"]
    assert "first good answer by name" in (tmp_path / "report.md").read_text()
    assert "nothing was written" in during.stdout
    assert "the gateways stay on: a failover to dr is active" in during.stdout
    assert "wait" in back.stdout
    assert replicas(dr) == dict.fromkeys(GATEWAYS, 0)
    assert replicas(prod) == dict.fromkeys(GATEWAYS, 3)
    assert (stage(prod), stage(dr)) == ("serving", "standby")


def test_done_already_is_said_and_nothing_is_written(regions: Regions) -> None:
    before = {name: writes(region) for name, region in regions.regions.items()}
    again = regions.run(*BACK)
    assert "prod serves already: nothing was written" in again.stdout
    assert {name: writes(region) for name, region in regions.regions.items()} == before


def test_what_serves_already_is_watched_where_that_is_asked_for(regions: Regions) -> None:
    before = {name: writes(region) for name, region in regions.regions.items()}
    good = regions.run(*BACK, "--watch", "2s", "-o", "json")
    (watched,) = check(good.stdout, "FailoverReport")["runs"]
    assert [(step["id"], step["state"]) for step in watched["steps"]] == [("watch/health", "done")]
    with unsafe.settings(probes=[WRONG | {"ca": str(regions.ca)}])(regions):
        bad = regions.run(*BACK, "--watch", "2s", check=False)
    assert bad.returncode == 1
    assert "requests to prod failed while it was watched" in bad.stderr
    assert {name: writes(region) for name, region in regions.regions.items()} == before


def test_a_plan_touches_nothing(regions: Regions) -> None:
    before = {name: writes(region) for name, region in regions.regions.items()}
    shown = regions.run("failover", "--to", "dr", "--plan")
    assert f"switch {HOST} from" in shown.stdout
    assert {name: writes(region) for name, region in regions.regions.items()} == before


def test_a_rehearsal_moves_no_traffic(regions: Regions) -> None:
    dr = regions.regions["dr"]
    with client(regions) as asked:
        done = regions.run("failover", "--to", "dr", "--rehearse", "--yes", "--confirm", "dr")
    assert asked.answers.keys() == {"prod"}
    assert "prove the way back: prod answers at" in done.stdout
    assert replicas(dr) == dict.fromkeys(GATEWAYS, 0)
    assert record(dr).last_of(Mode.REHEARSE) is not None
    shown = json.loads(regions.run("status", "--env", "dr", "-o", "json").stdout)["environments"][0]["standby"]
    assert (shown["stage"], shown["lastSync"]) == ("standby", None)
    assert shown["lastRehearsal"]
    assert stage(dr) == "standby"


def test_the_pipeline_moves_traffic_and_looks_at_the_standby(regions: Regions, tmp_path: Path) -> None:
    """Its scripts that need two regions, as AKS clusters; here on one machine, there (test_pipeline.py) on many."""
    ended, there = [], {"environment": "dr", "confirm": "dr"}
    with aks_regions(regions, tmp_path) as cloud, client(regions) as asked:
        verified = run(tmp_path / "run", cloud, {"environment": "dr", "action": "verify"})
        (machine,) = verified.jobs["Verification"]
        assert not verified.failures
        for typed, serves in (
            (there | {"action": "rehearse"}, "prod"),
            (there | {"action": "failover"}, "dr"),
            ({"environment": "prod", "confirm": "prod", "action": "failback"}, "prod"),
        ):
            before = written(regions)
            ended.append(again(machine, titled(typed, "Plan the move of traffic")))
            assert (ended[-1].code, written(regions)) == (0, before), ended[-1].said
            ended.append(again(machine, titled(typed, "Move traffic")))
            assert ended[-1].code == 0, ended[-1].said
            assert written(regions) != before
            assert answered(regions, 1).keys() == {serves}
        weekly = {"Build__Reason": "Schedule", "Build__CronSchedule__DisplayName": "Weekly rehearsal"}
        ended.append(again(machine, titled({}, "Rehearse the failover to dr", **weekly)))
        assert ended[-1].code == 0, ended[-1].said
        ended.append(again(machine, titled({}, "The standby is as the active side", Build__Reason="Schedule")))
        assert (ended[-1].code, "holds another certificate in dr" in ended[-1].said) == (4, True), ended[-1].said
    assert asked.failures == {}
    assert {step.title for step in ended} == MOVES
    assert not_executed(ended).isdisjoint(MOVES)


def written(regions: Regions) -> list[list[str]]:
    """What the pipeline's identity has written to each."""
    return [writes(region, USER) for region in regions.regions.values()]


@pytest.mark.parametrize(
    ("probe", "words"),
    [
        pytest.param(WRONG, "its header x-region is 'dr', not 'nowhere-dr'", id="the-wrong-region-answers"),
        pytest.param(
            {"url": f"https://{HOST}/", "status": 204, "body": "{environment}"}, "it answered 200", id="status"
        ),
    ],
)
def test_a_side_that_is_not_proven_gets_no_traffic(regions: Regions, probe: dict[str, Any], words: str) -> None:
    prod, dr = regions.regions["prod"], regions.regions["dr"]
    untouched = writes(prod)
    regions.write_environments(probes=[probe | {"ca": str(regions.ca)}])
    try:
        failed = regions.run(*FORWARD, "--component-timeout", "15s", check=False)
    finally:
        regions.write_environments()
    assert failed.returncode == 1
    assert words in failed.stderr
    assert "not begun: switch" in failed.stderr
    assert "Forward: `sohistio failover --to dr`. Back: `sohistio failback --to prod`." in failed.stderr
    assert answered(regions, 0.5).keys() == {"prod"}
    assert replicas(dr) == dict.fromkeys(GATEWAYS, 0), "as it was found"
    assert stage(dr) == "standby"
    assert writes(prod) == untouched


REFUSED = [
    ("no-probes", unsafe.settings(probes=[]), "there is no probe"),
    ("probes-tell-nothing", unsafe.settings(probes=[{"url": f"https://{HOST}/"}]), "no probe tells the two"),
    ("two-records", unsafe.records("prod", "dr"), "has 2 A records"),
    ("address-of-nobody", unsafe.records("127.9.9.9"), "shows an address of neither prod nor dr"),
    ("no-record", unsafe.records(), "has no A record"),
    ("alias", unsafe.records("other.example.com.", kind="CNAME"), "is not an A record but an alias"),
    ("no-name-server", unsafe.dns_settings(rfc2136={"port": 1}), "127.0.0.1:1"),
    ("another-key", unsafe.dns_settings(rfc2136={"keyName": "nobody"}), "nobody"),
    ("no-key-file", unsafe.dns_settings(rfc2136={"keyFile": "/nowhere/tsig.key"}), "/nowhere/tsig.key"),
    ("hold-down", unsafe.held_down, "hold-down for another"),
    ("damaged-record", unsafe.recorded(lambda _: "{"), "cannot be read"),
    ("newer-record", unsafe.recorded(lambda found: found | {"schemaVersion": "9"}), "cannot be read"),
    ("unknown-stage", unsafe.recorded(lambda found: found | {"failover": {"stage": "x"}}), "cannot be read"),
    ("full-cluster", unsafe.full, "failover-capacity: istio-"),
    ("nobody-answers", unsafe.without_endpoints, f"failover-endpoints: {HOST}: Service shop/web has no ready endpoint"),
    ("no-certificate", unsafe.no_certificate, "failover-certificates: Secret istio-system/shop-tls"),
    ("another-address", unsafe.another_address, "127.99.9.9"),
    ("hook-says-no", unsafe.hook("echo the database is read-only; exit 3"), "the database is read-only"),
    ("hook-hangs", unsafe.hook("exec sleep 30", "1s"), "the program that must succeed"),
    ("dead-name-servers", unsafe.dns_settings(servers=["127.0.0.1:1"]), "failover-dns: no name server answers"),
    ("no-hook", unsafe.settings(before={"argv": ["./nowhere.sh"]}), "failover-hook: there is no program"),
    ("unreadable-time", unsafe.recorded(unsafe.switched_yesterday), "cannot be read"),
    ("version-skew", clusters.another_version, "failover-versions: dr runs Istio 1.30.0"),
    ("another-configuration", clusters.another_route, "failover-configuration: dr is not as prod"),
    ("no-rights", clusters.no_rights, "you lack permission to patch deployments.apps"),
    ("another-run", clusters.another_run, "another run is active"),
    ("unreachable", clusters.unreachable, "the cluster of dr cannot be read"),
    ("cluster-of-prod", clusters.cluster_of_prod, "prod and dr lead to the same cluster"),
    ("no-gateway", clusters.without_gateway("dr"), "dr has no gateway istio-egressgateway"),
    ("no-gateway-to-go-back-to", clusters.without_gateway("prod", BACK), "prod has no gateway istio-egressgateway"),
    ("no-secret", clusters.no_secret, "failover-certificates: Secret istio-system/shop-tls"),
    ("rehearsal-of-what-serves", clusters.while_dr_is_named(*FORWARD, "--rehearse"), "dr serves: DNS leads there"),
    (
        "uninstall-of-what-serves",
        clusters.while_dr_is_named("uninstall", "--env", "dr", *FORWARD[3:]),
        "DNS leads to dr",
    ),
]


def command_of(given: tuple[str, ...] | None) -> tuple[str, ...]:
    """A whole command, or more options of a failover."""
    options = given or ()
    return (*FORWARD, *options) if not options or options[0].startswith("-") else options


@pytest.mark.parametrize(("start", "words"), [pytest.param(*case, id=name) for name, *case in REFUSED])
def test_an_unsafe_start_is_refused(regions: Regions, start: unsafe.Unsafe, words: str) -> None:
    with start(regions) as command:
        before = {name: writes(region) for name, region in regions.regions.items()}
        refused = regions.run(*command_of(command), check=False)
        assert {name: writes(region) for name, region in regions.regions.items()} == before
    assert refused.returncode == 3, refused.stdout + refused.stderr
    assert words in refused.stderr, refused.stderr
    assert "What to do: " in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("failover", "--to", "dr"), 3, "the environment's name was not confirmed"),
        (("failover", "--to", "dr", "--yes"), 3, "the environment's name was not confirmed"),
        ((*FORWARD[:-1], "prod"), 3, "--confirm names 'prod'"),
        (("failover", "--to", "prod", "--yes"), 2, "prod is no standby"),
        (("failover", "--to", "qa", "--yes"), 2, "qa is no standby"),
        (("failover", "--to", "nowhere", "--yes"), 2, "no environment named 'nowhere'"),
        (("failback", "--to", "dr", "--yes"), 2, "one environment has to stand by for dr"),
        ((*FORWARD, "--accept", "hold-down"), 2, "--accept needs --because"),
        ((*FORWARD, "--accept", "failover-dns", "--because", "x"), 2, "no rule that can be accepted"),
        ((*FORWARD, "--watch", "soon"), 2, "--watch 'soon' is not a duration"),
        (("failback", "--to", "prod", "--rehearse"), 2, "--rehearse"),
        ((*FORWARD, "--because", "x"), 2, "--because says why a rule is accepted"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_wrong_command(regions: Regions, arguments: tuple[str, ...], code: int, words: str) -> None:
    before = {name: writes(region) for name, region in regions.regions.items()}
    refused = regions.run(*arguments, check=False)
    assert (refused.returncode, words in refused.stderr) == (code, True), refused.stderr
    assert {name: writes(region) for name, region in regions.regions.items()} == before


def test_an_authority_that_is_none(regions: Regions) -> None:
    with unsafe.settings(probes=[{"url": f"https://{HOST}/", "header": "x-region: {environment}", "ca": "none.pem"}])(
        regions
    ):
        refused = regions.run(*FORWARD, check=False)
    assert (refused.returncode, "the CA file of the probe https://" in refused.stderr) == (2, True)


def test_a_name_server_of_the_dead_region_keeps_nothing_from_ending(regions: Regions) -> None:
    servers = [*regions.usual_dns()["servers"], "127.0.0.1:1"]
    with unsafe.dns_settings(servers=servers)(regions):
        done = regions.run(*FORWARD)
        assert "127.0.0.1:1 does not answer" in done.stdout
        assert stage(regions.regions["dr"]) == "active"
        regions.run(*BACK)


def test_what_is_accepted_by_name_is_recorded(regions: Regions) -> None:
    with unsafe.held_down(regions):
        regions.run(*FORWARD, "--accept", "hold-down", "--because", "INC-4711")
        mark = record(regions.regions["dr"]).failover
        assert mark is not None
        assert (mark.stage, mark.accepted) == ("active", "hold-down: INC-4711")
    regions.regions["dr"].api.merge_patch(unsafe.RECORD, {"data": {"record.json": json.dumps(Record("dr").document())}})
    regions.run(*BACK)


# A process of its own: this one has threads that ask for answers all the time, and would be late. The next step takes
# milliseconds: on a busy machine the kill comes first only if the command has to wait for it, from the step's beginning
# on (before that it has looks with a limit to take).
_KILLER = """
import os, signal, sys
pid, step = int(sys.argv[1]), sys.argv[2]
for line in sys.stdin:
    print(line, end="")
    if step in line and line.endswith("…\\n"):
        os.setpriority(os.PRIO_PROCESS, pid, 19)
    if "done: " + step in line:
        os.kill(pid, signal.SIGKILL)
        break
"""


def killed_after(regions: Regions, command: tuple[str, ...], step: str) -> None:
    """Start the command, which is killed as soon as it reports the end of the step, and that must come."""
    with subprocess.Popen(
        [sys.executable, "-m", "sohistio", *command],
        env=regions.environ(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        killer = [sys.executable, "-c", _KILLER, str(process.pid), step]
        said = subprocess.run(killer, stdin=process.stdout, capture_output=True, text=True, timeout=120, check=True)
    assert process.returncode == -signal.SIGKILL, f"{step} was not reported:\n{said.stdout}"


def test_killed_after_each_step_the_same_command_goes_on(regions: Regions) -> None:
    prod, dr = regions.regions["prod"], regions.regions["dr"]
    with client(regions) as asked:
        for step in (
            "record that a failover to dr is under way",
            "wait for istio-egressgateway",
            "prove that dr answers",
            f"switch {HOST}",
            f"prove that {HOST} leads to dr",
            "record that dr serves",
        ):
            killed_after(regions, FORWARD, step)
            assert stage(dr) in ("moving", "active")
        regions.run(*FORWARD)
        assert (stage(prod), stage(dr)) == ("away", "active")
        for step in ("prove that prod answers", f"switch {HOST}", "record that prod serves", "scale istio-egress"):
            killed_after(regions, BACK, step)
        regions.run(*BACK)
    assert asked.failures == {}
    assert replicas(dr) == dict.fromkeys(GATEWAYS, 0)
    assert (stage(prod), stage(dr)) == ("serving", "standby")


def test_the_record_is_lost_and_the_gateways_stay_on(regions: Regions) -> None:
    """Without a record, DNS and what serves say that a failover is active."""
    dr = regions.regions["dr"]
    regions.run(*FORWARD)
    dr.api.delete("/api/v1/namespaces/istio-system/configmaps/sohistio-record")
    done = regions.run("install", "--env", "dr", "--yes", "--confirm", "dr")
    assert "the gateways stay on: DNS leads to dr; gateways of dr serve" in done.stdout
    assert replicas(dr) == dict.fromkeys(GATEWAYS, 3)
    regions.run(*BACK)
    assert replicas(dr) == dict.fromkeys(GATEWAYS, 0)


ROUTES = "/apis/networking.istio.io/v1/namespaces/{}/virtualservices"


def test_a_drained_side_stays_off_and_wakes_on_the_rollback_target(regions: Regions) -> None:
    prod = regions.regions["prod"]
    with client(regions) as asked:
        regions.run(*FORWARD, "--drain-prod")
        assert (stage(prod), replicas(prod)) == ("drained", dict.fromkeys(GATEWAYS, 0))
        done = regions.run("install", "--env", "prod", "--yes", "--confirm", "prod")
        assert "the gateways stay off: prod is drained since" in done.stdout
        assert replicas(prod) == dict.fromkeys(GATEWAYS, 0)
        killed_after(regions, BACK, f"switch {HOST}")
        done = regions.run("install", "--env", "prod", "--yes", "--confirm", "prod")
        assert replicas(prod) == dict.fromkeys(GATEWAYS, 3), "a failback that was killed: what serves stays on"
        regions.run(*BACK)
    assert asked.failures == {}
    assert replicas(prod) == dict.fromkeys(GATEWAYS, 3)


def test_prod_is_gone(regions: Regions) -> None:
    """All its processes, its API server too: the outage that is reported is what an independent client measured."""
    from sohistio.sandbox.processes import ProcessId, end, processes_of

    prod = regions.regions["prod"]
    with client(regions) as asked:
        time.sleep(1)
        gone = processes_of(prod.kubeconfig.parent)
        killed = time.time()
        left = end([ProcessId(item.pid, item.started) for item in gone], 0.1)
        began = time.time()
        done = regions.run(*FORWARD, "-o", "json")
        time.sleep(2)
    assert left == []
    report = json.loads(done.stdout)
    assert asked.outage == pytest.approx(report["seconds"]["answered"] + began - killed, abs=1)
    assert asked.answers["dr"] > 0
    assert stage(regions.regions["dr"]) == "active"
