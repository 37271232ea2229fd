"""A private DNS zone on the loopback Azure, as the resource manager has it: record sets with etags that guard them.

Paths, bodies and codes are those of Azure's REST API "Private DNS", 2024-06-01, and "Permissions - List For Resource".
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from azure_server import OBJECT, Answer, Azure, Request, arm_error, managed

SUBSCRIPTION = "eeeeeeee-0000-4000-8000-000000000005"
GROUP, ZONE = "rg-dns", "corp.example.com"
ZONE_ID = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers/Microsoft.Network/privateDnsZones/{ZONE}"
CONTRIBUTOR = {"actions": ["Microsoft.Network/privateDnsZones/*", "Microsoft.Authorization/*/read"], "notActions": []}
READER = {"actions": ["*/read"], "notActions": []}


def _without_azure(answer: Callable[[Request], Answer]) -> Callable[[Azure, Request], Answer]:
    return lambda _, request: answer(request)


@dataclass
class Zone:
    """One zone; `sets` has the properties of A record sets by relative name. `before_put` happens just before one."""

    azure: Azure
    sets: dict[str, dict[str, Any]] = field(default_factory=dict)
    etags: dict[str, str] = field(default_factory=dict)
    permissions: list[dict[str, Any]] = field(default_factory=lambda: [CONTRIBUTOR])
    locked: bool = False
    unconfirmed: bool = False
    before_put: Callable[[], object] | None = None

    def __post_init__(self) -> None:
        kinds = (
            ("permissions", "GET", "/providers/Microsoft.Authorization/permissions", self._list_permissions),
            ("record", "GET", "/A/", self._get),
            ("put", "PUT", "/A/", self._put),
            ("zone", "GET", "/privateDnsZones/", self._zone),
        )
        for kind, method, path, answer in kinds:
            self.azure.routes.append((kind, method, path, managed(_without_azure(answer))))

    def put(self, name: str, *addresses: str, ttl: int = 60, metadata: dict[str, str] | None = None) -> None:
        """What somebody does in the portal: each write has a new etag."""
        self.sets[name] = {
            "ttl": ttl,
            "fqdn": f"{name}.{ZONE}.",
            "metadata": metadata or {},
            "aRecords": [{"ipv4Address": address} for address in addresses],
            "isAutoRegistered": False,
        }
        self.etags[name] = str(uuid.uuid4())

    def _missing(self, request: Request) -> Answer | None:
        """Azure's answer where the path is of another zone or group."""
        if request.path.lower().startswith(ZONE_ID.lower()):
            return None
        if f"/resourceGroups/{GROUP}/" not in request.path:
            return arm_error(404, "ResourceGroupNotFound", "Resource group could not be found.")
        message = (
            f"The Resource '{request.path.partition('/providers/')[2]}' under resource group '{GROUP}' was not found."
        )
        return arm_error(404, "ResourceNotFound", message)

    def _forbidden(self, request: Request, action: str) -> Answer | None:
        granted = [pattern for one in self.permissions for pattern in one["actions"]]
        if any(pattern != "*/read" or action.endswith("/read") for pattern in granted):
            return None
        message = (
            f"The client '{OBJECT}' with object id '{OBJECT}' does not have authorization to perform action "
            f"'{action}' over scope '{request.path}' or the scope is invalid."
        )
        return arm_error(403, "AuthorizationFailed", message)

    def _list_permissions(self, request: Request) -> Answer:
        number = int(request.query.get("page", 0))
        page: dict[str, Any] = {"value": self.permissions[number : number + 1]}
        if len(self.permissions) > number + 1:  # one for each page: whoever reads the first one only has too little
            page["nextLink"] = f"{self.azure.url}{request.path}?api-version=2022-04-01&page={number + 1}"
        return self._missing(request) or Answer(200, page)

    def _zone(self, request: Request) -> Answer:
        forbidden = self._forbidden(request, "Microsoft.Network/privateDnsZones/read")
        return forbidden or self._missing(request) or Answer(200, {"id": ZONE_ID, "name": ZONE, "location": "global"})

    def _get(self, request: Request) -> Answer:
        name = request.path.rpartition("/")[2]
        refused = self._forbidden(request, "Microsoft.Network/privateDnsZones/A/read") or self._missing(request)
        if refused:
            return refused
        if name not in self.sets:
            return arm_error(
                404, "NotFound", f"The resource record '{name}' does not exist in resource group '{GROUP}'."
            )
        return self._answer(name)

    def _put(self, request: Request) -> Answer:
        name = request.path.rpartition("/")[2]
        refused = self._forbidden(request, "Microsoft.Network/privateDnsZones/A/write") or self._missing(request)
        if refused:
            return refused
        if self.locked:
            message = (
                f"The scope '{request.path}' cannot perform write operation because following scope(s) are locked."
            )
            return arm_error(409, "ScopeLocked", message)
        if self.before_put is not None:
            self.before_put()
        if request.if_match and request.if_match.strip('"') != self.etags.get(name):
            message = f"The condition '{request.if_match}' in the If-Match header was not satisfied."
            return arm_error(412, "PreconditionFailed", message)
        written = json.loads(request.body)["properties"]
        addresses = [record["ipv4Address"] for record in written["aRecords"]]
        self.put(name, *addresses, ttl=written["ttl"], metadata=written.get("metadata"))
        if self.unconfirmed:
            return Answer(504, {"error": {"code": "GatewayTimeout", "message": "The gateway got no answer."}})
        return self._answer(name)

    def _answer(self, name: str) -> Answer:
        document = {
            "id": f"{ZONE_ID}/A/{name}",
            "name": name,
            "type": "Microsoft.Network/privateDnsZones/A",
            "etag": self.etags[name],
            "properties": self.sets[name],
        }
        return Answer(200, document)
