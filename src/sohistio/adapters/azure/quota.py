"""Adapter: Microsoft.Compute's usages of a location: a plain GET through the resource manager's client."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlsplit

from sohistio.model.vcpu_quota import Usage

_API_VERSION = "2024-07-01"
_MOST_PAGES = 20


def read_usages(client: Any, subscription: str, location: str, manager: str) -> dict[str, Usage]:
    """By name in lower case; what Azure gives no two whole numbers for is left out. Raises AzureError.

    `manager` is the resource manager's URL: the login's token goes nowhere else, whatever an answer says of its next
    page.
    """
    from azure.core.exceptions import DecodeError
    from azure.core.rest import HttpRequest

    place = f"/subscriptions/{quote(subscription)}/providers/Microsoft.Compute/locations/{quote(location)}/usages"
    url = f"{place}?api-version={_API_VERSION}"
    found: dict[str, Usage] = {}
    for _ in range(_MOST_PAGES):
        response = client.send_request(HttpRequest("GET", url))
        response.raise_for_status()
        try:
            page = response.json()
            for item in page.get("value") or ():
                used, limit = item.get("currentValue"), item.get("limit")
                if isinstance(used, int) and isinstance(limit, int):
                    found[str(item["name"]["value"]).lower()] = Usage(used, limit)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DecodeError("the answer is no list of usages") from error
        url = str(page.get("nextLink") or "")
        if urlsplit(url).netloc != urlsplit(manager).netloc:
            break
    return found
