"""Plan files: what was written is what is read, and whatever becomes of a file, it is a plan or a UsageError."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from any_plans import PLANS
from damage import changed, damaged_bytes, damaged_documents, nested, nothing_written, places_in
from plans import FRESH, LEGACY, NOTHING, REFUSED, REPLACEMENT, RESTART, STANDBY, UPGRADE
from sohistio.errors import RefusedError, UsageError
from sohistio.output.plan_file import ApprovedPlan, check_approved, read_approved, write_plan
from sohistio.plan.diff import does_no_more
from sohistio.plan.documents import digest_of
from sohistio.plan.plan import Plan
from sohistio.plan.risk import Risk

KNOWN = (FRESH, NOTHING, REFUSED, REPLACEMENT, STANDBY, UPGRADE)
ANY = st.one_of(st.sampled_from(KNOWN), PLANS)
# What says nothing of what is done, and so may change without another approval.
BESIDE = frozenset({"notices", "heldBack"})


def written(folder: Path, plan: Plan) -> Path:
    path = folder / "plan.json"
    write_plan(path, plan)
    return path


def read(path: Path) -> ApprovedPlan | None:
    """None where it is refused, as what cannot be used is."""
    with nothing_written(path.parent):
        try:
            return read_approved(path)
        except UsageError:
            return None


@settings(max_examples=40)
@given(ANY)
def test_what_is_written_is_read_and_approved(tmp_path: Path, plan: Plan) -> None:
    approved = read_approved(written(tmp_path, plan))
    assert approved.document["digest"] == plan.digest() == digest_of(approved.document)
    assert {key: approved.document[key] for key in plan.document()} == json.loads(json.dumps(plan.document()))
    check_approved(approved, plan)


@settings(max_examples=40)
@given(ANY, ANY)
def test_another_plan_is_stale(tmp_path: Path, one: Plan, other: Plan) -> None:
    approved = read_approved(written(tmp_path, one))
    if one.digest() == other.digest():
        assert {**one.document(), "notices": 0, "heldBack": 0} == {**other.document(), "notices": 0, "heldBack": 0}
        return
    with pytest.raises(RefusedError, match="is stale") as caught:
        check_approved(approved, other)
    assert caught.value.details, "it is said what is different"


@pytest.mark.parametrize("plan", KNOWN, ids=lambda plan: plan.mode.value)
def test_the_digest_covers_every_value_of_all_that_is_done(plan: Plan) -> None:
    document = plan.document()
    for place in places_in(document):
        if place and place[0] not in BESIDE:
            assert digest_of(changed(document, place, "instead", "another")) != plan.digest(), place
            assert digest_of(changed(document, place, "without", None)) != plan.digest(), place
        elif place:
            assert digest_of(changed(document, place, "instead", "another")) == plan.digest(), place


@settings(max_examples=150)
@given(st.data())
def test_a_byte_that_changes_is_refused_or_changes_nothing(tmp_path: Path, data: st.DataObject) -> None:
    """A blank between two keys says nothing; whatever says something is in the file's digest."""
    path = written(tmp_path, UPGRADE)
    whole = path.read_bytes()
    before = read_approved(path).document
    path.write_bytes(data.draw(damaged_bytes(whole)))
    found = read(path)
    assert found is None or found.document == before


@settings(max_examples=30)
@given(st.data())
def test_a_flipped_bit_is_never_another_plan(tmp_path: Path, data: st.DataObject) -> None:
    path = written(tmp_path, FRESH)
    whole = bytearray(path.read_bytes())
    before = read_approved(path).document
    whole[data.draw(st.integers(0, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(whole)
    found = read(path)
    assert found is None or found.document == before


@settings(max_examples=150)
@given(damaged_documents(UPGRADE.document()))
@example(UPGRADE.document() | {"reasons": nested(400)})
@example(UPGRADE.document() | {"danger": "\ud800"})
def test_a_forged_plan_with_right_digests_is_refused_by_what_it_says(tmp_path: Path, document: Any) -> None:
    """Whoever edits a file can write its digests as well: the plan of now is what is carried out, or nothing."""
    assume(isinstance(document, dict))
    forged = document | {"digest": digest_of(document)}
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(forged | {"fileDigest": digest_of(forged, without=("fileDigest",))}))
    approved = read(path)
    assert approved is not None
    same = digest_of(document) == UPGRADE.digest()
    try:
        check_approved(approved, UPGRADE)
    except (RefusedError, UsageError) as error:
        refused = bool(error.what and error.todo)
    else:
        refused = False
    assert same is not refused or _without_a_key(document)


def _without_a_key(document: Mapping[str, Any]) -> bool:
    """What is beside the plan is not compared, but read."""
    return bool(UPGRADE.document().keys() - document.keys())


@settings(max_examples=60)
@given(st.one_of(st.binary(), st.text().map(lambda text: text.encode("utf-8", "surrogatepass"))))
@example(b"[" * 100_000)
@example(b'{"digest": ' + b"9" * 10_000 + b"}")
@example(b'{"digest": NaN, "fileDigest": "x"}')
@example(b"\xff\xfe{\x00}\x00")
def test_what_never_was_a_plan_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "plan.json"
    path.write_bytes(content)
    assert read(path) is None


# What puts right a webhook that refuses everything, and notes what is in place, is approved by nobody.
ALWAYS = ("RepairWebhooks", "CompleteRecord")


@settings(max_examples=100)
@given(ANY.filter(lambda plan: bool(plan.phases)), st.data())
def test_what_was_left_out_of_an_approved_plan_is_not_done(plan: Plan, data: st.DataObject) -> None:
    """A plan may shrink on its way to its run, and never grow: not by a step, and not by a workload of one."""
    assert does_no_more(plan, plan)
    out = data.draw(st.integers(0, len(plan.phases) - 1))
    less = replace(plan, phases=plan.phases[:out] + plan.phases[out + 1 :])
    writes = [
        step for step in plan.phases[out].steps if step.risk is not Risk.READ and type(step).__name__ not in ALWAYS
    ]
    assert does_no_more(less, plan)
    assert does_no_more(plan, less) is not bool(writes)


def test_a_workload_more_is_more() -> None:
    more = replace(RESTART, workloads=(*RESTART.workloads, LEGACY))
    phases = tuple(
        replace(phase, steps=tuple(more if step == RESTART else step for step in phase.steps))
        for phase in UPGRADE.phases
    )
    grown = replace(UPGRADE, phases=phases)
    assert does_no_more(UPGRADE, grown)
    assert not does_no_more(grown, UPGRADE)
