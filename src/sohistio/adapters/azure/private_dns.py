"""Adapter: azure-mgmt-privatedns. An A record of a private DNS zone, guarded by the record set's etag."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sohistio.adapters.azure.account import AzureLogin
from sohistio.adapters.azure.credential import PATIENCE, patient_retries, quiet
from sohistio.adapters.azure.errors import in_our_words, role_wanted, safe_lines
from sohistio.adapters.dns.adapter import RecordChangedError
from sohistio.errors import FailedError, RefusedError
from sohistio.model.dns import AzurePrivateDns, DnsRecord, RecordAnswer
from sohistio.system.lazy import lazy

ROLE = "Private DNS Zone Contributor"
_WRITE = "Microsoft.Network/privateDnsZones/A/write"
# "Permissions - List For Resource" of Azure's authorization API: what the caller may do, after all its assignments.
_PERMISSIONS = "providers/Microsoft.Authorization/permissions?api-version=2022-04-01"

_MOST_PAGES = 20


class AzureDns:
    """The record set A of one name in one zone, through a login that the cluster has as well."""

    def __init__(self, record: DnsRecord, settings: AzurePrivateDns, login: AzureLogin) -> None:
        self.record = record
        self.settings = settings
        self.login = login

    def current(self) -> RecordAnswer:
        """As `DnsAdapter` has it; the etag is the guard. A name without A records is an answer without addresses."""
        with self._in_our_words("read"):
            found = self._record_set()
        return _answer(found) if found is not None else RecordAnswer(())

    def check_rights(self) -> None:
        """Ask Azure which actions this login has at the zone. A lock on the zone shows only when it is written to."""
        with self._in_our_words("read"):
            self._client.private_zones.get(self.settings.resource_group, self.record.zone)
            granted = self._permissions()
        if not any(_allows(permission, _WRITE) for permission in granted):
            raise RefusedError(
                f"this login lacks permission to change A records of the private DNS zone {self.record.zone}",
                details=(f"it lacks {_WRITE} at {self._zone_id}",),
                todo=role_wanted("", ROLE, "the zone"),
            )

    def describe(self, to: str) -> str:
        """As `DnsAdapter` has it."""
        return (
            f"set the A record {self.record} to {to} in the private DNS zone {self.record.zone} (resource group "
            f"{self.settings.resource_group}), if nobody else changes it meanwhile"
        )

    def apply(self, expected: RecordAnswer, to: str) -> RecordAnswer:
        """As `DnsAdapter` has it. What else the record set has, its TTL and metadata, stays."""
        from azure.core import MatchConditions
        from azure.core.exceptions import (
            HttpResponseError,
            ResourceModifiedError,
            ServiceRequestError,
            ServiceResponseError,
        )
        from azure.mgmt.privatedns.models import ARecord

        with self._in_our_words("change"):
            found = self._record_set()
            if found is None or found.etag != expected.guard:
                raise RecordChangedError(self.record, expected, _answer(found) if found else RecordAnswer(()))
            found.properties.a_records = [ARecord(ipv4_address=to)]
            try:
                written = self._client.record_sets.create_or_update(
                    *self._place, found, etag=expected.guard, match_condition=MatchConditions.IfNotModified
                )
            except ResourceModifiedError:
                # Somebody else was quicker; or the answer to this very request was lost, and it was sent again.
                now = self.current()
                if now.addresses == (to,):
                    return now
                raise RecordChangedError(self.record, expected, now) from None
            except (ServiceRequestError, ServiceResponseError) as error:
                return self._unconfirmed(error, to)
            except HttpResponseError as error:
                if (error.status_code or 0) < 500:
                    raise
                return self._unconfirmed(error, to)
        return _answer(written)

    def _unconfirmed(self, error: Exception, to: str) -> RecordAnswer:
        """The change may be made although no answer says so: the record itself says."""
        said = safe_lines(str(error))
        try:
            now = self.current()
        except RefusedError as again:
            raise FailedError(
                f"whether {self.record} was changed is not known: Azure gave no good answer",
                details=(*said, *again.details),
                todo="Look at the record set in the portal, and run the failover again.",
            ) from None
        if now.addresses == (to,):
            return now
        raise FailedError(
            f"{self.record} is unchanged so far: Azure gave no good answer to the change",
            details=(*said, f"now: {now}"),
            todo="Look at it again in a minute, then run the failover again.",
        ) from None

    def _permissions(self) -> list[dict[str, Any]]:
        """What this login's assignments grant at the zone, each with `actions` and `notActions`."""
        from azure.core.rest import HttpRequest

        granted: list[dict[str, Any]] = []
        url = f"{self._zone_id}/{_PERMISSIONS}"
        for _ in range(_MOST_PAGES):
            response = self._client.send_request(HttpRequest("GET", url))
            response.raise_for_status()
            page = response.json()
            granted += page.get("value") or ()
            url = page.get("nextLink")
            if not url:
                break
        return granted

    @property
    def _place(self) -> tuple[str, str, str, str]:
        return self.settings.resource_group, self.record.zone, "A", self.record.relative

    @property
    def _zone_id(self) -> str:
        return (
            f"/subscriptions/{self.settings.subscription}/resourceGroups/{self.settings.resource_group}"
            f"/providers/Microsoft.Network/privateDnsZones/{self.record.zone}"
        )

    def _record_set(self) -> Any:
        """The record set as the library has it; None where the zone has none of that name and type."""
        from azure.core.exceptions import ResourceNotFoundError

        try:
            return self._client.record_sets.get(*self._place)
        except ResourceNotFoundError:
            # Azure says the same where there is no such zone or group: that is an error of its own.
            self._client.private_zones.get(self.settings.resource_group, self.record.zone)
            return None

    @lazy
    def _client(self) -> Any:
        quiet()
        from azure.mgmt.privatedns import PrivateDnsManagementClient

        where = self.login.where
        return PrivateDnsManagementClient(
            self.login.credential(),
            self.settings.subscription,
            where.resource_manager,
            credential_scopes=[where.scope],
            retry_policy=patient_retries()(**PATIENCE),
            **PATIENCE,
        )

    @contextmanager
    def _in_our_words(self, verb: str) -> Iterator[None]:
        """What Azure answers about a zone; the rest, such as a login that is rejected, as for clusters."""
        from azure.core.exceptions import ClientAuthenticationError, HttpResponseError

        zone = f"the private DNS zone {self.record.zone}"
        with in_our_words(zone, self.login.auth, self.login.where):
            try:
                yield
            except ClientAuthenticationError:
                raise
            except HttpResponseError as error:
                text = str(error.message or error)
                match error.status_code:
                    case 403:
                        what = f"this login lacks permission to {verb} A records of {zone}"
                        todo = role_wanted(text, ROLE, "the zone")
                    case 404:
                        what = f"Azure has no private DNS zone {self.record.zone} in {self.settings.resource_group}"
                        todo = "Correct zone, and subscription and resourceGroup, below failover.dns."
                    case 409 if "ScopeLocked" in str(error):
                        what = f"a lock on {zone} forbids to change it"
                        todo = "Have the lock taken off the zone or its resource group: `az lock list` shows it."
                    case status if verb == "change":
                        what = f"Azure does not accept the change of {self.record} (status {status})"
                        todo = "Its text says why; nothing was changed."
                    case _:
                        raise
                raise RefusedError(what, details=safe_lines(text), todo=todo) from None


def _answer(found: Any) -> RecordAnswer:
    addresses = sorted(str(item.ipv4_address) for item in found.a_records or ())
    return RecordAnswer(tuple(addresses), int(found.ttl or 0), str(found.etag or ""))


def _allows(permission: dict[str, Any], action: str) -> bool:
    """Whether one assignment grants an action: among its `actions`, and not among its `notActions`."""

    def named(patterns: Any) -> bool:
        return any(
            re.fullmatch(re.escape(str(pattern)).replace(r"\*", ".*"), action, re.IGNORECASE)
            for pattern in patterns or ()
        )

    return named(permission.get("actions")) and not named(permission.get("notActions"))
