"""A program or a person changes the record of a real BIND; sohistio looks at the name server."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import pytest

from bind import DR, KEY, PROD, RECORD, ZONE, Bind
from sohistio.adapters.azure.account import AzureLogin
from sohistio.adapters.dns.adapter import DnsAdapter, RecordChangedError, Watch
from sohistio.adapters.dns.choose import dns_adapter
from sohistio.adapters.dns.rfc2136 import Rfc2136Dns
from sohistio.errors import FailedError, InterruptedRunError, RefusedError
from sohistio.model.dns import DnsProvider, DnsSettings, Manual, Program, RecordAnswer

AS_PROD = RecordAnswer((PROD,), 45)
_SWITCH = f"""\
#!{sys.executable}
import os, dns.query, dns.tsig, dns.update
print("from", os.environ["FROM"], "to", os.environ["TO"], sorted(set(os.environ) - {{"LC_CTYPE"}}))
update = dns.update.UpdateMessage(os.environ["ZONE"] + ".")
update.use_tsig(dns.tsig.Key("{KEY}", open("secret").read(), "hmac-sha256"))
update.replace(os.environ["RECORD"] + ".", 45, "A", os.environ["TO"])
dns.query.tcp(update, "127.0.0.1", 5, PORT)
"""


def no_azure() -> AzureLogin:
    raise AssertionError("nobody asked for Azure")


def adapter_of(bind: Bind, provider: DnsProvider, watch: Watch | None = None, max_ttl: int = 60) -> DnsAdapter:
    settings = DnsSettings(RECORD, (bind.server,), max_ttl, provider)
    return dns_adapter(settings, no_azure, watch or Watch())


def script(folder: Path, text: str, seconds: int = 20) -> Program:
    path = folder / "switch-dns"
    path.write_text(text)
    path.chmod(0o700)
    return Program(("./switch-dns",), folder, seconds)


def test_the_adapter_is_the_one_that_the_settings_name(bind: Bind) -> None:
    assert isinstance(adapter_of(bind, bind.settings()), Rfc2136Dns)


# --- a program ------------------------------------------------------------------------------------------------------


def test_a_program_switches_the_record(bind: Bind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "s3cr3t~")
    (tmp_path / "secret").write_text(bind.secret)
    said: list[str] = []
    program = script(tmp_path, _SWITCH.replace("PORT", str(bind.port)))
    adapter = adapter_of(bind, program, Watch(said=said.append))
    adapter.check_rights()
    assert adapter.current() == AS_PROD
    assert adapter.apply(AS_PROD, DR) == RecordAnswer((DR,), 45) == adapter.current()
    assert said[0].startswith(f"./switch-dns: from {PROD} to {DR} ['FROM', ")
    assert "AZURE_CLIENT_SECRET" not in said[0]
    assert adapter.describe(DR).startswith(f"run `./switch-dns` with TO={DR} to change {RECORD}, for at most 20 s")


@pytest.mark.parametrize(
    ("text", "what", "detail"),
    [
        ("#!/bin/sh\necho '##vso[task.complete]' no right >&2\nexit 3\n", "./switch-dns failed (exit code 3)",
         "# #vso[task.complete] no right"),
        ("#!/bin/sh\nkill -9 $$\n", "./switch-dns failed (signal 9)", ""),
        ("#!/bin/sh\necho waiting\nsleep 60 & wait\n", "./switch-dns did not end within 2 s", "waiting"),
        ("#!/nowhere/sh\n", "./switch-dns failed (exit code 1)", "No such file"),
    ],
)  # fmt: skip
def test_a_program_that_fails(bind: Bind, tmp_path: Path, text: str, what: str, detail: str) -> None:
    with pytest.raises(FailedError) as caught:
        adapter_of(bind, script(tmp_path, text, seconds=2)).apply(AS_PROD, DR)
    assert caught.value.what == what
    assert detail in "\n".join(caught.value.details)


def test_a_program_that_ends_well_and_changes_nothing(bind: Bind, tmp_path: Path) -> None:
    stop = threading.Event()
    watch = Watch(stop, lambda line: stop.set() if line.startswith(RECORD.name) else None)
    adapter = adapter_of(bind, script(tmp_path, "#!/bin/sh\necho done\n"), watch)
    with pytest.raises(InterruptedRunError) as caught:
        adapter.apply(AS_PROD, DR)
    assert caught.value.details == (f"{bind.server}: {PROD} (TTL 45 s)",)


def test_a_program_is_ended_when_the_run_is(bind: Bind, tmp_path: Path) -> None:
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    begun = time.monotonic()
    with pytest.raises(InterruptedRunError, match=r"interrupted while \./switch-dns ran"):
        adapter_of(bind, script(tmp_path, "#!/bin/sh\nsleep 60\n"), Watch(stop)).apply(AS_PROD, DR)
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize(
    ("argv", "mode", "what"),
    [
        (("./missing",), None, "there is no program "),
        (("no-such-program-here",), None, "there is no program no-such-program-here in PATH"),
        (("./switch-dns",), 0o600, "is not executable"),
    ],
)
def test_a_program_that_cannot_be_run(
    bind: Bind, tmp_path: Path, argv: tuple[str, ...], mode: int | None, what: str
) -> None:
    script(tmp_path, "#!/bin/sh\n")
    if mode is not None:
        (tmp_path / "switch-dns").chmod(mode)
    adapter = adapter_of(bind, Program(argv, tmp_path, 5))
    for act in (adapter.check_rights, lambda: adapter.apply(AS_PROD, DR)):
        with pytest.raises(RefusedError) as caught:
            act()
        assert what in caught.value.what


def test_a_program_is_not_run_where_the_record_was_changed(bind: Bind, tmp_path: Path) -> None:
    bind.change("10.9.9.9")
    with pytest.raises(RecordChangedError) as caught:
        adapter_of(bind, script(tmp_path, "#!/bin/sh\ntouch ran\n")).apply(AS_PROD, DR)
    assert caught.value.details[1] == "now: 10.9.9.9 (TTL 45 s)"
    assert not (tmp_path / "ran").exists()


# --- by hand --------------------------------------------------------------------------------------------------------

MANUAL = Manual("Ask the network team (ext. 4711)", 20)


def test_somebody_changes_it_by_hand(bind: Bind) -> None:
    said: list[str] = []

    def somebody(line: str) -> None:
        said.append(line)
        if len(said) == 2:  # asked, and the name server does not have it yet
            bind.change(DR)

    adapter = adapter_of(bind, MANUAL, Watch(said=somebody))
    adapter.check_rights()
    assert adapter.apply(adapter.current(), DR) == RecordAnswer((DR,), 45)
    asked = f"change the A record {RECORD} in the zone {ZONE} from {PROD} to {DR} now: Ask the network team (ext. 4711)"
    assert said[0] == asked
    assert said[-1] == f"{RECORD} at {bind.server}: {DR}"


def test_nobody_is_asked_for_what_is_done(bind: Bind) -> None:
    said: list[str] = []
    bind.change(DR)
    assert adapter_of(bind, MANUAL, Watch(said=said.append)).apply(AS_PROD, DR).addresses == (DR,)
    assert said == []


def test_nobody_does_it(bind: Bind) -> None:
    with pytest.raises(FailedError, match=f"not every name server answers {DR}"):
        adapter_of(bind, Manual("Ask", 1)).apply(AS_PROD, DR)


def test_somebody_did_something_else(bind: Bind) -> None:
    bind.change("10.9.9.9")
    with pytest.raises(RecordChangedError):
        adapter_of(bind, MANUAL).apply(AS_PROD, DR)


def test_the_plan_says_whom_to_ask(bind: Bind) -> None:
    assert "(Ask the network team (ext. 4711))" in adapter_of(bind, MANUAL).describe(DR)
    assert "for up to 20s until" in adapter_of(bind, MANUAL).describe(DR)
