"""Plan files: what was written is what is read, and whatever becomes of a file, it is a plan or a UsageError."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from any_plans import PLANS
from damage import damaged_bytes, damaged_documents, nested, nothing_written
from plans import FRESH, NOTHING, REFUSED, REPLACEMENT, STANDBY, UPGRADE
from sohistio.errors import RefusedError, UsageError
from sohistio.output.plan_file import ApprovedPlan, check_approved, read_approved, write_plan
from sohistio.plan.diff import does_no_more
from sohistio.plan.documents import digest_of
from sohistio.plan.plan import Plan

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


@settings(max_examples=100)
@given(st.sampled_from([FRESH, UPGRADE]).flatmap(lambda plan: damaged_documents(plan.document())))
def test_the_digest_covers_all_that_is_done(document: Any) -> None:
    assume(isinstance(document, dict))
    kept, before = (
        {key: value for key, value in found.items() if key not in BESIDE} for found in (document, _like(document))
    )
    assume(json.dumps(kept, sort_keys=True) != json.dumps(before, sort_keys=True))
    assert digest_of(document) != digest_of(_like(document))


def _like(document: Mapping[str, Any]) -> dict[str, Any]:
    """The plan that it was made of: the longer one has a backup."""
    return UPGRADE.document() if "1.30.5" in json.dumps(document) else FRESH.document()


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


@settings(max_examples=40)
@given(ANY, ANY)
def test_a_plan_does_no_more_than_itself_and_nothing_does_no_more_than_any(one: Plan, other: Plan) -> None:
    if not one.refusal:
        assert does_no_more(one, one)
    if does_no_more(one, other):
        assert {step.id for step in one.steps if step.risk.value in ("disrupt", "destroy")} <= {
            step.id for step in other.steps
        }
