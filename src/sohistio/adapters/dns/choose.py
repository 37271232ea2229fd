"""The adapter that an environment names."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, assert_never

from sohistio.adapters.dns.adapter import DnsAdapter, Watch
from sohistio.model.dns import AzurePrivateDns, DnsSettings, Manual, Program, Rfc2136

if TYPE_CHECKING:
    from sohistio.adapters.azure.account import AzureLogin


def dns_adapter(settings: DnsSettings, azure: Callable[[], AzureLogin], watch: Watch) -> DnsAdapter:
    """The adapter for these settings; nothing is asked yet. `azure` gives the login, where it is Azure's zone.

    Raises UsageError, RefusedError for a login that cannot be.
    """
    provider = settings.provider
    match provider:
        case AzurePrivateDns():
            from sohistio.adapters.azure.private_dns import AzureDns

            return AzureDns(settings.record, provider, azure())
        case Rfc2136():
            from sohistio.adapters.dns.rfc2136 import Rfc2136Dns

            return Rfc2136Dns(settings.record, provider)
        case Program():
            from sohistio.adapters.dns.command import CommandDns

            return CommandDns(settings, provider, watch)
        case Manual():
            from sohistio.adapters.dns.manual import ManualDns

            return ManualDns(settings, provider, watch)
        case _:
            assert_never(provider)
