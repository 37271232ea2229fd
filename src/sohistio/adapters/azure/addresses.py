"""Whether an address of a virtual network is free: Azure's CheckIPAddressAvailability."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

_API_VERSION = "2024-05-01"


def address_is_free(client: Any, subnets: Sequence[str], address: str) -> bool | None:
    """False where anything in the subnets' virtual network has it; None where it cannot be asked (no right, no subnet).

    The answer does not say who has it: it may be our own load balancer.
    """
    from azure.core.exceptions import AzureError
    from azure.core.rest import HttpRequest

    answers: list[bool] = []
    for network in dict.fromkeys(subnet.rpartition("/subnets/")[0] for subnet in subnets):
        path = f"{quote(network)}/CheckIPAddressAvailability"
        request = HttpRequest("GET", path, params={"ipAddress": address, "api-version": _API_VERSION})
        try:
            response = client.send_request(request)
            document = response.json() if response.status_code == 200 else {}
        except (AzureError, ValueError):
            return None
        if not isinstance(document.get("available"), bool):
            return None  # also where the address is not of this network: Azure answers with an error
        answers.append(document["available"])
    return all(answers) if answers else None
