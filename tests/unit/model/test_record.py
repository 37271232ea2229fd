"""The record: read back as written, what is applied and can be gone back to, and how a last run is told."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from api_server import ApiServer, Reply
from runs import run
from sohistio.adapters.kubernetes.record_store import read_record
from sohistio.errors import RefusedError
from sohistio.model.mode import Mode
from sohistio.model.record import MOST_RUNS, Applied, Record, RunEntry, run_document

OLD, NEW, NEWER = (Applied(version, f"# {version}\n") for version in ("1.29.8", "1.30.5", "1.31.1"))


_RUN = run_document(run())


def test_a_record_is_read_back_as_it_was_written() -> None:
    full = Record("qa", NEWER, NEW, (run(last_step="verify/mesh", backup="/b", ended="2026-11-23T05:01:00+00:00"),))
    for record in (full, Record("qa"), Record("qa").with_gateways_in(["edge", "istio-system"])):
        assert Record.of(record.document()) == record


def test_a_record_of_an_older_sohistio_names_no_namespaces() -> None:
    document = Record("qa").with_gateways_in(["edge"]).document()
    del document["gatewayNamespaces"]
    assert Record.of(document) == Record("qa")


@pytest.mark.parametrize(
    ("beside", "none"),
    [(None, []), (frozenset(), ["policy", "monitoring"]), (frozenset({"policy"}), ["monitoring"])],
    ids=["nobody-looked", "nothing", "a-policy"],
)
def test_what_is_beside_the_mesh(beside: frozenset[str] | None, none: list[str]) -> None:
    """Only where somebody has looked it is known that there is none."""
    record = Record.of(Record("qa", beside=beside).document())
    assert record.beside == beside
    assert [part for part in ("policy", "monitoring") if record.has_none(part)] == none
    document = record.document()
    del document["beside"]
    assert Record.of(document).beside is None, "a record of an older sohistio"


def test_a_run_of_an_older_sohistio_has_no_reason() -> None:
    document = Record("qa", runs=(run(reason="CHG1"),)).document()
    assert Record.of(document).runs[0].reason == "CHG1"
    del document["runs"][0]["reason"]
    assert Record.of(document).runs == (run(),)


def test_a_run_without_a_reason_can_be_read_by_a_sohistio_that_knows_none() -> None:
    """It refuses a run with a key that it does not know."""
    without, with_one = Record("qa", runs=(run(), run(number=1, reason="CHG1"))).document()["runs"]
    assert with_one.keys() - without.keys() == {"reason"}
    assert _RUN["reason"] == "", "what is exported has all keys"


def test_what_a_newer_sohistio_notes_of_a_run_is_passed_over() -> None:
    assert Record.of(Record("qa").document() | {"runs": [_RUN | {"colour": "red"}]}).runs == (run(),)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param({"schemaVersion": "2"}, "schemaVersion '2'", id="newer"),
        pytest.param({"runs": [{"colour": "red"}]}, "not a record", id="keys-missing"),
        pytest.param({"current": {"version": "1.31.1"}}, "not a record", id="key-missing"),
        pytest.param({"runs": None}, "not a record", id="no-runs"),
        pytest.param({"runs": ["x"]}, r"runs\[0\] is no object", id="runs-of-text"),
        pytest.param({"runs": [None]}, r"runs\[0\] is no object", id="runs-of-nothing"),
        pytest.param({"runs": {}}, "runs is no list", id="runs-by-name"),
        pytest.param({"runs": "ab"}, "runs is no list", id="runs-is-text"),
        pytest.param({"runs": [{}]}, r"id of runs\[0\] is missing", id="an-empty-run"),
        pytest.param({"runs": [_RUN | {"who": 7}]}, r"who of runs\[0\] is no text", id="a-number-for-text"),
        pytest.param({"runs": [_RUN | {"who": "\ud800"}]}, "is no text", id="half-a-character"),
        pytest.param({"current": "x"}, "current is no object", id="current-is-text"),
        pytest.param({"current": {}}, "version of current is missing", id="current-is-empty"),
        pytest.param({"previous": ["1.31.1", ""]}, "previous is no object", id="previous-is-a-list"),
        pytest.param({"current": {"version": "new", "operator": ""}}, "is no version", id="no-version"),
        pytest.param({"previous": {"version": "1.31.1", "operator": {}}}, "is no text", id="operator-is-no-text"),
        pytest.param({"environment": None}, "environment of the record is no text", id="no-environment"),
        pytest.param({"schemaVersion": ["1" * 9999]}, r"^.{1,100}$", id="a-huge-version"),
    ],
)
def test_what_is_no_record_is_not_guessed_at(change: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Record.of(Record("qa").document() | change)


@pytest.mark.parametrize(
    "data",
    [
        *[None, {}, {"record.json": ""}, {"record.json": "{"}, {"record.json": "null"}, {"record.json": '"x"'}],
        *[{"record.json": "[]"}, {"record.json": "[" * 100_000}, {"record.json": "9" * 10_000}, {"other": "{}"}],
    ],
    ids=lambda data: str(data)[:40],
)
def test_a_config_map_that_holds_no_record_is_refused(tmp_path: Path, data: dict[str, str] | None) -> None:
    with ApiServer() as server:
        path = "/api/v1/namespaces/istio-system/configmaps/sohistio-record"
        server.replies["GET", path] = [Reply({"metadata": {"name": "sohistio-record"}, "data": data})]
        with pytest.raises(RefusedError, match="is not a record that this sohistio understands"):
            read_record(server.api(tmp_path))


def test_a_run_is_kept_up_to_date_and_the_oldest_ones_go() -> None:
    record = Record("qa")
    for number in range(MOST_RUNS + 3):
        record = record.with_run(run(outcome="running", number=number)).with_run(run(number=number))
    assert len(record.runs) == MOST_RUNS
    assert record.runs[0].id == f"{3:012}"
    assert {known.outcome for known in record.runs} == {"done"}


def test_only_another_manifest_becomes_the_previous_one() -> None:
    record = Record("qa").with_applied(OLD).with_applied(NEW).with_applied(NEW)
    assert (record.current, record.previous) == (NEW, OLD)


UPGRADED = Record("qa", NEWER, NEW)
NOT_UPGRADED = Record("qa", NEW, OLD)


@pytest.mark.parametrize(
    ("record", "runs", "back"),
    [
        pytest.param(Record("qa"), (), None, id="nothing-recorded"),
        pytest.param(Record("qa", NEW), (run("install"),), None, id="only-installed"),
        pytest.param(UPGRADED, (run(),), NEW, id="after-an-upgrade"),
        pytest.param(NOT_UPGRADED, (run(), run(outcome="failed")), NEW, id="after-one-that-failed"),
        pytest.param(NOT_UPGRADED, (run(outcome="running"),), NEW, id="after-one-that-was-killed"),
        pytest.param(NOT_UPGRADED, (run(outcome="verificationFailed"),), NEW, id="after-one-not-verified"),
        pytest.param(UPGRADED, (run(), run("restart", "failed")), NEW, id="a-restart-changes-nothing"),
        pytest.param(UPGRADED, (run(), run("restore", "interrupted")), NEW, id="a-restore-changes-nothing"),
        pytest.param(UPGRADED, (run(), run("rollback", "running")), NEW, id="a-rollback-goes-on"),
        pytest.param(
            NOT_UPGRADED, (run(outcome="failed"), run("rollback", "failed")), NEW, id="a-rollback-of-a-failure-goes-on"
        ),
        pytest.param(Record("qa", NEW, NEWER), (run(), run("rollback")), NEWER, id="forward-again"),
        pytest.param(UPGRADED, (run(outcome="running"), run("none")), NEW, id="recorded-afterwards"),
        pytest.param(UPGRADED, (run(), run("uninstall")), NEWER, id="after-an-uninstall"),
    ],
)
def test_the_rollback_target(record: Record, runs: tuple[RunEntry, ...], back: Applied | None) -> None:
    assert replace(record, runs=runs).rollback_target == back


@pytest.mark.parametrize(
    ("outcome", "step", "words"),
    [
        ("running", "control-plane/install", "did not finish: it was last seen at step control-plane/install"),
        ("running", "", "did not finish: it was last seen before its first step"),
        ("brokeOff", "verify/mesh", "was interrupted at step verify/mesh"),
        ("interrupted", "sidecars/restart", "was interrupted at step sidecars/restart"),
        ("failed", "control-plane/await", "failed at step control-plane/await"),
        ("verificationFailed", "verify/mesh", "was applied, but its verification failed"),
    ],
)
def test_how_a_run_ended(outcome: str, step: str, words: str) -> None:
    told = run(outcome=outcome, last_step=step).how_it_ended()
    assert told == f"the last run (upgrade to 1.31.1, begun 2026-11-23T05:00:00+00:00) {words}"
    assert not run(outcome=outcome).ended_well


def test_an_uninstall_goes_to_no_version() -> None:
    told = replace(run("uninstall", "failed", last_step="purge/crds"), to_version="").how_it_ended()
    assert told == "the last run (uninstall, begun 2026-11-23T05:00:00+00:00) failed at step purge/crds"


def test_a_run_that_never_ended_interrupted() -> None:
    before = Record("qa", runs=(run(outcome="failed"), run(outcome="running", number=1)))
    assert before.killed == before.runs[1:]
    record = before.with_broken_off()
    assert record.killed == ()
    assert [known.outcome for known in record.runs] == ["failed", "brokeOff"]


def test_a_restart_tells_nothing_of_the_mesh() -> None:
    def entry(number: int, mode: str, outcome: str) -> RunEntry:
        return RunEntry(
            str(number), Mode(mode), "qa", "", "", "1.30.5", "1.31.1", "me", "host", "10:00", outcome=outcome
        )

    record = Record("qa", runs=(entry(1, "upgrade", "failed"), entry(2, "restart", "done")))
    assert record.last_change == record.runs[0]
    assert Record("qa", runs=(*record.runs, entry(3, "none", "running"))).last_change == entry(3, "none", "running")


def test_a_mode_of_a_newer_sohistio_is_unknown() -> None:
    newer = json.loads(json.dumps(Record("qa", runs=(run(),)).document()))
    newer["runs"][0]["mode"] = "canary"
    assert Record.of(newer).runs[0].mode is Mode.UNKNOWN
