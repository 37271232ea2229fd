"""What anybody wrote on the Lease: a holder is read, and only a process that is surely gone counts as gone."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from damage import DEEP, damaged_bytes, damaged_documents
from sohistio.adapters.kubernetes.holder import has_certainly_ended, holder_in
from sohistio.system.machine import ProcessFacts, has_ended, this_process

HERE = this_process() or ProcessFacts("b", "4026531836", 1, 5)  # none but Linux says so much
TIME = "2026-11-28T03:00:00.000000Z"
PROCESS = {
    "holder": "ada@bastion",
    "boot": HERE.boot,
    "pidNamespace": HERE.pid_namespace,
    "pid": HERE.pid,
    "started": HERE.started,
}
NOTE = json.dumps(PROCESS)


def lease(note: str) -> dict[str, Any]:
    spec = {"holderIdentity": "ada@bastion", "renewTime": TIME, "acquireTime": TIME, "leaseDurationSeconds": 30}
    return {"metadata": {"name": "sohistio", "annotations": {"sohistio/process": note}}, "spec": spec}


@given(
    st.one_of(
        damaged_bytes(NOTE.encode()).map(lambda content: content.decode("utf-8", "replace")),
        damaged_documents(PROCESS).map(json.dumps),
        st.text(),
    )
)
@example("[" * DEEP)
@example(json.dumps(PROCESS | {"pid": 2**40}))
@example(json.dumps(PROCESS | {"pid": 10**400}))
@example(json.dumps(PROCESS | {"pid": 4_000_000, "started": 2**70}))
def test_a_note_that_is_none_is_no_process(note: str) -> None:
    holder = holder_in(lease(note))
    assert holder is not None
    assert holder.identity == "ada@bastion"
    gone = has_certainly_ended(holder, has_ended)
    if holder.process in (None, HERE):
        assert not gone
