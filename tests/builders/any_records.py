"""Strategies: records as runs may have written them."""

from __future__ import annotations

from hypothesis import strategies as st

from sohistio.model.failover_mark import FailoverMark, Stage
from sohistio.model.mode import Mode
from sohistio.model.readiness import Outcome, ReadinessItem
from sohistio.model.record import Applied, Record, RunEntry
from sohistio.model.sidecars_compared import SidecarsCompared

_TEXTS = st.text(max_size=6) | st.sampled_from(["qa", "1.31.1", "sidecars/restart", "", "a\nb\u2028"])
_TIMES = st.sampled_from(["", "2026-11-23T05:00:00+00:00", "2026-11-23T05:00:00.123+00:00"])
_OUTCOMES = st.sampled_from(["running", "done", "failed", "brokeOff", "interrupted", "verificationFailed", "new"])
RUNS = st.builds(RunEntry, *[_TEXTS], st.sampled_from(Mode), *[_TEXTS] * 7, _TIMES, _TIMES, _OUTCOMES, *[_TEXTS] * 3)
_APPLIED = st.none() | st.builds(Applied, st.sampled_from(["1.29.8", "1.31.1", "1.32.0-rc.1"]), _TEXTS)
_NAMES = st.lists(_TEXTS, max_size=2).map(tuple)
RECORDS = st.builds(
    Record,
    environment=_TEXTS,
    current=_APPLIED,
    previous=_APPLIED,
    runs=st.lists(RUNS, max_size=3).map(tuple),
    gateway_namespaces=_NAMES,
    failover=st.none() | st.builds(FailoverMark, st.sampled_from(Stage), _TIMES, _TEXTS, _TIMES, _TEXTS),
    sync_left=st.integers(0, 10**6),
    readiness=st.lists(st.builds(ReadinessItem, _TEXTS, st.sampled_from(Outcome), _TEXTS, _TIMES), max_size=2).map(
        tuple
    ),
    sidecars=st.none() | st.builds(SidecarsCompared, _TEXTS, _TIMES),
    beside=st.none() | st.frozensets(st.sampled_from(["policy", "monitoring"])),
)
