"""Kubernetes' quantities as exact numbers. Pure."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

_QUANTITY = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)|[eE]([0-9]{1,3}))?")
_SUFFIXES = {suffix: Decimal(10) ** power for suffix, power in (("n", -9), ("u", -6), ("m", -3), ("k", 3))} | {
    f"{letter}{suffix}": Decimal(base**power)
    for power, letter in enumerate("MGTPE", start=2)
    for suffix, base in (("", 1000), ("i", 1024))
}
_SUFFIXES["Ki"] = Decimal(1024)


def quantity(value: Any) -> Decimal | None:
    """The number of a resource.Quantity ("1000m", "2Gi", 1, "1e3"); None where it is none."""
    match = _QUANTITY.fullmatch(str(value)) if isinstance(value, (str, int)) and not isinstance(value, bool) else None
    if match is None:
        return None
    number, suffix, exponent = match.groups()
    return Decimal(number) * _SUFFIXES.get(suffix or "", Decimal(1)) * Decimal(10) ** int(exponent or 0)
