"""What istioctl makes for the default revision tag: known by its name, whatever its labels say by now. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sohistio.model.revision import DEFAULT_REVISION, LABEL, TAG_LABEL
from sohistio.model.webhooks import DEFAULT_TAG, MUTATING, VALIDATING

VALIDATOR = "istiod-default-validator"
_SERVICE = "istiod-revision-tag-default"
LABELS: Mapping[str, str] = {TAG_LABEL: DEFAULT_REVISION, LABEL: DEFAULT_REVISION}
"""By these istioctl tells the tag's objects from the revision's own. Where one is missing it finds two of a revision
(istioctl/pkg/tag, checkControlPlaneExistenceOrDuplicate), and makes no tag, without a word."""
_OF_TAGS = {MUTATING: "istio-revision-tag-", VALIDATING: VALIDATOR, "Service": "istiod-revision-tag-"}
_OF_THE_DEFAULT = {MUTATING: DEFAULT_TAG, VALIDATING: VALIDATOR, "Service": _SERVICE}


def is_of_a_tag(kind: str, name: str) -> bool:
    """Whether `istioctl tag` or the end of an install makes objects of this name: no manifest has them."""
    return kind in _OF_TAGS and name.startswith(_OF_TAGS[kind])


def has_validator(found: Mapping[str, Sequence[Mapping[str, Any]]]) -> bool:
    """Whether, among configurations by their kind, the default tag's validator is there; it need not be without a tag
    of revision default."""
    names = {item["metadata"]["name"] for item in found.get(VALIDATING) or ()}
    tags = (item for item in found.get(MUTATING) or () if item["metadata"]["name"] == DEFAULT_TAG)
    needed = any((tag["metadata"].get("labels") or {}).get(LABEL) == DEFAULT_REVISION for tag in tags)
    return VALIDATOR in names or not needed


def lacks_labels(kind: str, obj: Mapping[str, Any]) -> bool:
    """Whether it is one of the default tag's, of revision default, and has lost a label by which istioctl knows it."""
    metadata = obj["metadata"]
    labels = metadata.get("labels") or {}
    ours = labels.get(LABEL, DEFAULT_REVISION) == DEFAULT_REVISION
    return ours and metadata["name"] == _OF_THE_DEFAULT.get(kind) and not LABELS.items() <= labels.items()
