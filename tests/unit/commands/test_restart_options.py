"""How `--limit`, `--at` and `--outside-windows` are read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sohistio.commands.restart_options import AsOf, RestartShare
from sohistio.errors import UsageError
from sohistio.model.restart_policy import Share


@pytest.mark.parametrize(
    ("text", "share"),
    [
        (None, None),
        ("20%", Share(percent=20)),
        ("20 %", Share(percent=20)),
        ("100%", Share(percent=100)),
        ("15", Share(count=15)),
    ],
)
def test_a_share(text: str | None, share: Share | None) -> None:
    assert RestartShare(limit=text).share == share


@pytest.mark.parametrize("text", ["", "0", "0%", "-1", "101%", "1.5%", "20%%", "many", "1e3", "٣", "9" * 30])
def test_what_is_no_share(text: str) -> None:
    with pytest.raises(UsageError, match="neither a share nor a number of workloads"):
        _ = RestartShare(limit=text).share


def test_a_time() -> None:
    assert AsOf(at=None).moment is None
    assert AsOf(at="2126-11-28 02:30 Europe/Berlin").moment == datetime(2126, 11, 28, 1, 30, tzinfo=UTC)


def test_this_minute_is_no_time_in_the_past() -> None:
    assert AsOf(at=f"{datetime.now(UTC) + timedelta(minutes=1):%Y-%m-%d %H:%M} UTC").moment is not None


@pytest.mark.parametrize("text", ["2025-11-28 02:30 Europe/Berlin", "1970-01-01 00:00 UTC"])
def test_a_time_in_the_past(text: str) -> None:
    with pytest.raises(UsageError, match=r"is in the past: that was [0-9T:-]+Z, now it is ") as caught:
        _ = AsOf(at=text).moment
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    "text", ["", "Sat 02:30 UTC", "2026-11-28 02:30", "2026-02-30 02:30 UTC", "2026-11-28 2:30 UTC"]
)
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(UsageError, match="expected a time such as"):
        _ = AsOf(at=text).moment


def test_what_is_no_time_zone() -> None:
    with pytest.raises(UsageError, match="there is no Mars"):
        _ = AsOf(at="2026-11-28 02:30 Mars").moment
