"""The document of `sohistio status`: as its schema says, for environments in every state."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema

import fleet
from fleet import NOW
from sohistio.output.status_document import status_document

SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / "schemas" / "status.schema.json").read_text())


def test_every_state_is_as_the_schema_says() -> None:
    rows = [*fleet.fleet(), fleet.hostile(), fleet.hostile_problem()]
    document = {"schemaVersion": "1", "kind": "Status"} | status_document(rows, NOW)
    jsonschema.validate(document, SCHEMA)
    assert document["at"] == "2026-11-27T03:26:40+00:00"
    for row in document["environments"]:
        assert set(row) == set(SCHEMA["properties"]["environments"]["items"]["properties"])


def test_what_is_new_in_a_row() -> None:
    (row,) = status_document([fleet.drifted("prod")], NOW)["environments"]
    assert row["state"] == "drift"
    assert row["drift"] == {"objects": 3, "fields": 7, "byHand": 2, "editors": ["kubectl-edit", "lens"]}
    assert row["sidecars"] == {"stale": 4, "leftAlone": 1}
    assert row["address"] == {"wanted": "10.20.20.188", "actual": ["10.20.20.9"]}
    assert (row["certificates"]["daysLeft"], row["certificates"]["first"]) == (9, "Secret istio-system/web-tls")
    assert row["lastRunAgeSeconds"] == 5 * 3600


def test_a_standbys_ages() -> None:
    (row,) = status_document([fleet.standby("dr")], NOW)["environments"]
    standby = row["standby"]
    assert (standby["lastRehearsalAgeSeconds"], standby["lastSyncAgeSeconds"]) == (40 * 86400, 2 * 86400)
    assert standby["lastSyncLeft"] == 3


def test_what_is_not_known_is_null() -> None:
    (row,) = status_document([fleet.away("int")], NOW)["environments"]
    unknown = ("inSync", "mode", "drift", "sidecars", "address", "certificates", "lastRun", "lastRunAgeSeconds", "lock")
    assert {row[key] for key in unknown} == {None}
