"""Webhooks that somebody pointed to a URL, where istioctl would write a Service or another URL. Pure; none is followed.

An environment may set a URL on purpose (`istiodRemote.injectionURL`): then whoever installed Istio owns the field.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sohistio.plan.drift.managers import Item, owns
from sohistio.plan.ownership import ISTIOCTL_MANAGER, is_installers


def strange_urls(kind: str, configuration: Mapping[str, Any]) -> dict[str, str]:
    """The URLs by their webhooks' names. What managedFields do not tell is nothing strange."""
    entries = configuration["metadata"].get("managedFields") or ()
    found = {}
    for hook in configuration.get("webhooks") or ():
        url = (hook.get("clientConfig") or {}).get("url")
        name = str(hook.get("name"))
        path = ("webhooks", Item(name, hook), "clientConfig", "url")
        owners = [entry for entry in entries if owns(entry, path)] if url else []
        if owners and not any(_is_ours(kind, entry) for entry in owners):
            found[name] = str(url)
    return found


def _is_ours(kind: str, entry: Mapping[str, Any]) -> bool:
    return entry.get("manager") == ISTIOCTL_MANAGER or is_installers(kind, entry)
