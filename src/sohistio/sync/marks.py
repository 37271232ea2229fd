"""What of an object people wrote, and what tools, controllers and the API server left on it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sohistio.model.policy import POLICY_LABEL, policy_label
from sohistio.model.sync import SYNCED_FROM
from sohistio.sync.side import Object

# Marks of tools by which they find, and prune, what is theirs: in the standby it would not be. The second is istiod's.
# Argo CD up to version 2 matches on the label app.kubernetes.io/instance.
_TOOLS_OWN = (
    "kubectl.kubernetes.io/",
    "gateway.istio.io/controller-version",
    "meta.helm.sh/",
    "argocd.argoproj.io/",
    "kustomize.toolkit.fluxcd.io/",
    "helm.toolkit.fluxcd.io/",
    "app.kubernetes.io/managed-by",
    "app.kubernetes.io/instance",
    "applyset.kubernetes.io/",
    SYNCED_FROM,
    POLICY_LABEL,
)
_AUTO_REGISTERED = "istio.io/autoRegistrationGroup"


def kind_of(obj: Object) -> str:
    """`VirtualService.networking.istio.io`: the kind without the version."""
    return f"{obj['kind']}.{str(obj['apiVersion']).partition('/')[0]}"


def version_of(obj: Object) -> str:
    """`v1`: the version without the group."""
    return str(obj["apiVersion"]).rpartition("/")[2]


def peoples_marks(obj: Object, key: str) -> dict[str, str]:
    """Labels or annotations without the marks of tools."""
    found: Mapping[str, str] = obj["metadata"].get(key) or {}
    return {name: value for name, value in found.items() if not name.startswith(_TOOLS_OWN)}


def is_controllers(obj: Object) -> bool:
    """Whether a controller made it, and would make it again; or an install, of its environment's policy."""
    metadata = obj["metadata"]
    registered = _AUTO_REGISTERED in (metadata.get("annotations") or {})
    return registered or bool(metadata.get("ownerReferences")) or is_policys(obj)


def is_policys(obj: Object) -> bool:
    """Whether it was made from an environment's policy: each side has its own."""
    return policy_label(obj) is not None


def is_ending(obj: Object) -> bool:
    """Whether somebody has deleted it, and a finalizer keeps it."""
    return "deletionTimestamp" in obj["metadata"]


def is_peoples(entry: Mapping[str, Any]) -> bool:
    """Whether an entry of managedFields names a field that is compared."""
    fields = entry.get("fieldsV1") or {}
    metadata = fields.get("f:metadata") or {}
    marks = (name.removeprefix("f:") for key in ("f:labels", "f:annotations") for name in metadata.get(key) or ())
    return "f:spec" in fields or any(name != "." and not name.startswith(_TOOLS_OWN) for name in marks)
