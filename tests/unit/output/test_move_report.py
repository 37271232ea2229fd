"""What a failover says last, how it exits, and where its page may be written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from observed import state
from runs import run as a_run
from sides import INGRESS, SETTINGS, world
from sohistio.errors import ExitCode, FailedError, InterruptedRunError, SohistioError, UsageError
from sohistio.failover.plans import Move, plan_move, plan_standing_by
from sohistio.model.health import Answers, GatewayHealth, Health
from sohistio.model.mode import Mode
from sohistio.output.move_report import check_place, conclusion, document, summary, write_page
from sohistio.output.tables import result_line
from sohistio.plan.plan import Plan
from sohistio.planning.failover import Observed
from sohistio.planning.planned import Planned
from sohistio.planning.sequences import Planner, Sequence
from sohistio.planning.session import Session, Where
from sohistio.run.failover import Traffic
from sohistio.run.move import MoveResult
from sohistio.run.progress import RunResult

MOVE = plan_move(world(), Move("dr", Mode.FAILOVER))
UNDO = plan_standing_by(world(dr=3), Mode.FAILOVER)
LATER = "prod cannot be reached: it is not drained"
NOT_PROVEN = FailedError("dr does not answer")


def planned(plan: Plan) -> Planned:
    return Planned(Session(Where("dr"), lambda _: None), plan, state(), lambda: planned(plan))


def run(plan: Plan, error: SohistioError | None = None) -> RunResult:
    return RunResult(plan, (), (), error, 1.0)


def moved(
    error: SohistioError | None = None, *, undone: RunResult | None = None, then: Planner | None = None, later: str = ""
) -> MoveResult:
    sequence = Sequence(Mode.FAILOVER, "dr", "prod", planned(MOVE), then, later, None, Observed(world(), {}, {}))
    traffic = Traffic(SETTINGS, lambda _: pytest.fail("no DNS is asked"), "`forward`.", "`back`.")
    return MoveResult(
        sequence, 0.0, 1.0, [run(MOVE, error)], undone, undo_tried=error is not None, problem=None, traffic=traffic
    )


def test_a_failed_failover_ends_with_what_it_left() -> None:
    what = "the failover to dr did not end well: dr does not answer."
    assert conclusion(moved(NOT_PROVEN, undone=run(UNDO))) == f"{what} No traffic was moved, and dr is as it was found"
    broken = moved(NOT_PROVEN, undone=run(UNDO, FailedError("pods stay")))
    lost = f"{what} No traffic was moved, but dr could not be put back as it was found: `back`."
    assert conclusion(broken) == lost
    assert conclusion(moved(NOT_PROVEN)) == lost


def test_a_side_that_could_not_be_reached_is_named_last() -> None:
    assert conclusion(moved(later=LATER)) == LATER
    assert conclusion(moved(then=lambda: planned(UNDO), later="then, on prod: record")) == ""
    assert conclusion(moved()) == ""


def test_an_undo_that_is_interrupted_interrupts_the_command() -> None:
    stopped = moved(NOT_PROVEN, undone=run(UNDO, InterruptedRunError("interrupted")))
    assert stopped.exit_code is ExitCode.INTERRUPTED
    assert moved(NOT_PROVEN, undone=run(UNDO)).exit_code is ExitCode.FAILED


def test_the_undo_is_not_called_the_failover() -> None:
    assert result_line(run(UNDO)).plain == "dr: standing by again (1.0 s)"
    assert result_line(run(MOVE)).plain == "dr: its part of the failover is done (1.0 s)"


def test_what_a_watch_found_is_in_every_report(tmp_path: Path) -> None:
    found = moved()
    assert found.traffic is not None
    assert document(found)["watch"] is None
    answers = Answers()
    for milliseconds in range(1, 101):
        answers.add("", milliseconds / 1000)
    answers.add("it answered 503, not 200", 0.2)
    crashed = GatewayHealth(INGRESS, 3, 2, 1, (), ("pod-1: OOMKilled, exit code 137",))
    found.traffic.watched.append(Health("dr", 100.4, answers, (crashed,), blind=4.0))
    written = document(found)["watch"]
    assert (written["requests"], written["failed"], written["failedShare"]) == (101, 1, 0.0099)
    assert written["milliseconds"] == {"p50": 50.0, "p95": 95.0, "slowest": 100.0}
    assert written["problems"] == [
        "istio-ingressgateway: its pods were restarted once (pod-1: OOMKilled, exit code 137)"
    ]
    assert written["gateways"][0]["leastReady"] == 2
    assert write_page(tmp_path / "report.md", found) == ""
    page = (tmp_path / "report.md").read_text()
    assert "## dr, watched for 100 s" in page
    assert "- istio-ingressgateway: 3 ready, 2 at the least, restarts 1" in page
    assert "- 1 ×: it answered 503, not 200" in page
    assert summary(found)[-3] == "watched: 101 requests, 1 failed (1.0 %); p50 50 ms, p95 95 ms"
    assert "did not answer for 4 s" in summary(found)[-1]


def test_the_page_has_the_reason(tmp_path: Path) -> None:
    explained = moved()
    entry = a_run("failover", reason="INC-4711 prod is down")
    explained.results[:] = [replace(run(MOVE), entry=entry)]
    assert write_page(tmp_path / "report.md", explained) == ""
    assert "; done. Reason: INC-4711 prod is down\n" in (tmp_path / "report.md").read_text()


def test_where_the_page_cannot_be_written(tmp_path: Path) -> None:
    check_place(tmp_path / "report.md")
    for path, why in ((tmp_path / "none" / "report.md", "there is no folder"), (tmp_path, "it is a folder")):
        with pytest.raises(UsageError, match=why):
            check_place(path)


def test_a_page_that_cannot_be_written_any_more_is_a_line(tmp_path: Path) -> None:
    assert write_page(tmp_path / "report.md", moved()) == ""
    assert (tmp_path / "report.md").read_text().startswith("# Failover: prod → dr")
    assert "could not be written" in write_page(tmp_path / "gone" / "report.md", moved())
