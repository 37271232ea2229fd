"""Each column's words, short and long, and how it sorts."""

from __future__ import annotations

from dataclasses import replace

import pytest

import fleet
from fleet import DAY, HOUR, NOW, drifted, gateway, in_sync, last_run, standby
from sohistio.fleet.cells import Cell, Column, cells_of
from sohistio.fleet.row import Certificates, Drift, EnvironmentStatus, Ingress, Sidecars, StandbyStatus
from sohistio.fleet.state import Level

DEV = in_sync("dev")
NEVER = StandbyStatus("", None, None)


@pytest.mark.parametrize(
    ("row", "column", "text", "words", "level"),
    [
        (replace(DEV, standby=replace(NEVER, stands_by=False)), Column.REHEARSED, "-", "-", Level.PLAIN),
        (replace(DEV, standby=replace(NEVER, stands_by=False)), Column.SYNCED, "-", "-", Level.PLAIN),
        (DEV, Column.VERSION, "1.31.1", "1.31.1", Level.PLAIN),
        (fleet.behind("qa"), Column.VERSION, "1.30.5→1.31.1", "1.30.5, wanted 1.31.1", Level.PLAIN),
        (fleet.empty("qa"), Column.VERSION, "-", "none, wanted 1.31.1", Level.PLAIN),
        (fleet.away("dr"), Column.VERSION, "-", "not known, wanted 1.31.1", Level.PLAIN),
        (replace(fleet.empty("qa"), mode="unknown"), Column.VERSION, "-", "not known, wanted 1.31.1", Level.PLAIN),
        (DEV, Column.DRIFT, "none", "none", Level.PLAIN),
        (replace(DEV, drift=Drift(1, 1)), Column.DRIFT, "1", "1 object, 1 field", Level.ATTENTION),
        (
            drifted("qa"),
            Column.DRIFT,
            "3 (2 hand)",
            "3 objects, 7 fields; 2 set by kubectl-edit, lens",
            Level.ATTENTION,
        ),
        (fleet.empty("qa"), Column.DRIFT, "-", "-", Level.PLAIN),
        (DEV, Column.SIDECARS, "0", "0", Level.PLAIN),
        (replace(DEV, sidecars=Sidecars(4)), Column.SIDECARS, "4", "4", Level.ATTENTION),
        (replace(DEV, sidecars=Sidecars(0, 2)), Column.SIDECARS, "0+2", "0, and 2 left alone", Level.ATTENTION),
        (DEV, Column.GATEWAYS, "3/3 3/3", "egressgateway 3/3, ingressgateway 3/3", Level.PLAIN),
        (
            replace(DEV, gateways=tuple(gateway(name, 2) for name in "abc")),
            Column.GATEWAYS,
            "6/9",
            "a 2/3, b 2/3, c 2/3",
            Level.ATTENTION,
        ),
        (replace(DEV, gateways=(gateway("a", 0),)), Column.GATEWAYS, "0/3", "a 0/3", Level.BAD),
        (replace(DEV, gateways=(gateway("a", 0, 0),)), Column.GATEWAYS, "0/0", "a 0/0", Level.PLAIN),
        (DEV, Column.ADDRESS, "10.20.20.188", "10.20.20.188", Level.PLAIN),
        (drifted("qa"), Column.ADDRESS, "10.20.20.9 !", "10.20.20.9, wanted 10.20.20.188", Level.BAD),
        (replace(DEV, ingress=Ingress("10.0.0.1")), Column.ADDRESS, "none", "none, wanted 10.0.0.1", Level.BAD),
        (replace(DEV, ingress=Ingress("", ("10.0.0.1",))), Column.ADDRESS, "10.0.0.1", "10.0.0.1", Level.PLAIN),
        (replace(DEV, ingress=None), Column.ADDRESS, "-", "-", Level.PLAIN),
        (DEV, Column.CERTIFICATE, "200 d", "200 d: Secret istio-system/web-tls", Level.PLAIN),
        (drifted("qa"), Column.CERTIFICATE, "9 d", "9 d: Secret istio-system/web-tls", Level.ATTENTION),
        (
            replace(DEV, certificates=Certificates("CA x", NOW - 1, ("CA x",), ("Secret a/b",))),
            Column.CERTIFICATE,
            "expired?",
            "expired: CA x (1 not read)",
            Level.BAD,
        ),
        (replace(DEV, certificates=Certificates(unread=("a",))), Column.CERTIFICATE, "?", "1 not read", Level.PLAIN),
        (replace(DEV, certificates=Certificates()), Column.CERTIFICATE, "-", "-", Level.PLAIN),
        (DEV, Column.LAST_RUN, "3 d ann", "install done by ann, 3 d ago", Level.PLAIN),
        (drifted("qa"), Column.LAST_RUN, "5 h failed bob", "install failed by bob, 5 h ago", Level.ATTENTION),
        (
            replace(DEV, last_run=last_run(None)),
            Column.LAST_RUN,
            "? ann",
            "install done by ann, of an unknown age",
            Level.PLAIN,
        ),
        (standby("dr"), Column.SYNCED, "2 d, 3 left", "2 d ago with 3 differences left", Level.ATTENTION),
        (standby("dr"), Column.REHEARSED, "40 d", "40 d ago", Level.PLAIN),
        (replace(DEV, standby=NEVER), Column.SYNCED, "never", "never", Level.ATTENTION),
        (DEV, Column.SYNCED, "-", "-", Level.PLAIN),
    ],
)
def test_a_cell(row: EnvironmentStatus, column: Column, text: str, words: str, level: Level) -> None:
    cell = cells_of(row, NOW)[column]
    assert (cell.text, cell.words, cell.level) == (text, words, level)


def test_what_is_not_known_sorts_after_all_ages() -> None:
    def order(row: EnvironmentStatus) -> float | str:
        return cells_of(row, NOW)[Column.LAST_RUN].order

    rows = [replace(DEV, last_run=run) for run in (None, last_run(DAY), last_run(HOUR))]
    assert [row.last_run for row in sorted(rows, key=order)] == [last_run(HOUR), last_run(DAY), None]


def test_words_are_the_text_where_there_is_no_more_to_say() -> None:
    assert Cell("a").words == "a"
