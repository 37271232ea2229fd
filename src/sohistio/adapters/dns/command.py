"""Adapter: a program of the user changes the record, where its DNS has an interface of its own."""

from __future__ import annotations

from sohistio.adapters.dns.adapter import RecordChangedError, Watch
from sohistio.adapters.dns.resolve import await_everywhere, resolve_agreed
from sohistio.errors import FailedError
from sohistio.model.dns import DnsSettings, Program, RecordAnswer
from sohistio.system.program import program_path, run_program


class CommandDns:
    """The record as the configured name servers show it; `program` is run to change it."""

    def __init__(self, settings: DnsSettings, program: Program, watch: Watch) -> None:
        self.settings = settings
        self.program = program
        self._watch = watch

    def current(self) -> RecordAnswer:
        """As `DnsAdapter` has it; the name servers are asked, for want of an authority."""
        return resolve_agreed(self.settings.record, self.settings.servers)

    def check_rights(self) -> None:
        """Only that there is such a program, and that this user can run it: what it can do shows when it runs."""
        program_path(self.program.argv, self.program.folder)

    def describe(self, to: str) -> str:
        """As `DnsAdapter` has it."""
        return (
            f"run `{' '.join(self.program.argv)}` with TO={to} to change {self.settings.record}, for at most "
            f"{self.program.seconds} s, then wait until {_names(self.settings)} answer {to}"
        )

    def apply(self, expected: RecordAnswer, to: str) -> RecordAnswer:
        """As `DnsAdapter` has it; the guard is a look just before. It returns when the name servers show the address.

        The program gets FROM, TO, RECORD and ZONE as environment variables. It has to be harmless to run again.
        """
        record = self.settings.record
        now = self.current()
        if now.addresses != expected.addresses:
            raise RecordChangedError(record, expected, now)
        variables = {"FROM": ",".join(expected.addresses), "TO": to, "RECORD": record.name, "ZONE": record.zone}
        program, servers = self.program, self.settings.servers
        lines = run_program(
            program.argv, program.folder, variables=variables, seconds=program.seconds, stop=self._watch.stop
        )
        for line in lines:
            self._watch.said(f"{program.argv[0]}: {line}")
        try:
            return await_everywhere(record, servers, to, self.settings.settle_seconds(expected), self._watch)
        except FailedError as error:
            raise FailedError(
                f"{program.argv[0]} ended well, but {error.what}",
                details=(*error.details, *(f"{program.argv[0]}: {line}" for line in lines)),
                todo=error.todo,
            ) from error


def _names(settings: DnsSettings) -> str:
    return ", ".join(map(str, settings.servers))
