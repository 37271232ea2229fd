"""Adapter: somebody changes the record by hand; sohistio says what, and waits until it is so."""

from __future__ import annotations

from sohistio.adapters.dns.adapter import RecordChangedError, Watch
from sohistio.adapters.dns.resolve import await_everywhere, resolve_agreed
from sohistio.model.dns import DnsSettings, Manual, RecordAnswer
from sohistio.model.durations import duration_of


class ManualDns:
    """The record as the configured name servers show it."""

    def __init__(self, settings: DnsSettings, manual: Manual, watch: Watch) -> None:
        self.settings = settings
        self.manual = manual
        self._watch = watch

    def current(self) -> RecordAnswer:
        """As `DnsAdapter` has it; the name servers are asked, for want of an authority."""
        return resolve_agreed(self.settings.record, self.settings.servers)

    def check_rights(self) -> None:
        """Nothing: who changes it by hand has rights of their own."""

    def describe(self, to: str) -> str:
        """As `DnsAdapter` has it."""
        servers = ", ".join(map(str, self.settings.servers))
        return (
            f"ask for the A record {self.settings.record} to be set to {to} by hand ({self.manual.instructions}), and "
            f"wait for up to {duration_of(self.manual.seconds)} until {servers} answer {to}"
        )

    def apply(self, expected: RecordAnswer, to: str) -> RecordAnswer:
        """As `DnsAdapter` has it; the guard is a look just before. It returns when the name servers show the address.

        One that does already needs nobody: it was changed ahead of the run.
        """
        record = self.settings.record
        now = self.current()
        if now.addresses == (to,):
            return now
        if now.addresses != expected.addresses:
            raise RecordChangedError(record, expected, now)
        self._watch.said(
            f"change the A record {record} in the zone {record.zone} from {', '.join(expected.addresses)} to {to} now: "
            f"{self.manual.instructions}"
        )
        return await_everywhere(record, self.settings.servers, to, self.manual.seconds, self._watch)
