"""One request to the API server: what it does, whether it may be made twice, and who has a say in it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from sohistio.adapters.kubernetes.errors import KubeError, Object
from sohistio.errors import SohistioError
from sohistio.model.kube_target import Bearer


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it is about to be sent."""

    method: str
    path: str
    query: Mapping[str, str]
    body: Object | None

    @property
    def writes(self) -> bool:
        """Whether it changes anything. Dry runs and questions of rights, asked with a POST, do not."""
        return self.method != "GET" and not self.is_dry_run and not self.path.endswith("accessreviews")

    @property
    def is_dry_run(self) -> bool:
        """Whether it asks what a write would do. Its server's trouble may be a webhook of somebody's, which lasts."""
        return self.query.get("dryRun") == "All"

    @property
    def ends_the_same(self) -> bool:
        """Whether doing it twice is as good as doing it once."""
        if self.method == "PATCH":
            return not self.writes or "resourceVersion" not in ((self.body or {}).get("metadata") or {})
        return self.method in ("GET", "DELETE") or not self.writes


PAGE_SIZE = 500
_METADATA = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
Slimming = Callable[[Object], Object]


@dataclass(frozen=True, slots=True)
class Listing:
    """What is asked of a list: those objects at `path` that the selectors pick, whole or their metadata, and of each
    what `slim` leaves.
    """

    path: str
    labels: str = ""
    fields: str = ""
    metadata_only: bool = False
    slim: Slimming | None = None

    @property
    def accept(self) -> str:
        """The form in which the server is to answer."""
        return _METADATA if self.metadata_only else "application/json"

    def query(self, token: str) -> dict[str, str]:
        """Of the page that a token leads to, the first without one."""
        asked = {"labelSelector": self.labels, "fieldSelector": self.fields, "limit": str(PAGE_SIZE), "continue": token}
        return {key: value for key, value in asked.items() if value}


class Conduct(Protocol):
    """What a run has to say about the requests of its steps."""

    def seconds_for(self, request: Request) -> float:
        """The longest that one try may take, asked just before it is sent. Waits until it may be sent, or raises."""

    def answered(self) -> None:
        """The server answered as one does that is well, whatever it said."""

    def read_failed(self, error: KubeError) -> None:
        """A read was answered by nobody, or by a server in trouble (`passing`): returns to have it asked again."""


def token_of(bearer: Bearer | None, server: str, rejected: str) -> str:
    """The bearer's token, another than the rejected one; nothing without a bearer. Raises KubeError."""
    if bearer is None:
        return ""
    try:
        if rejected:
            bearer.renew(rejected)
        return bearer.token()
    except SohistioError as error:
        what = f"no token for the API server {server}: {error.what}"
        raise KubeError(what, 0, details=error.details, todo=error.todo) from error


def bearing(token: str) -> dict[str, str]:
    """The header that brings a token, where there is one."""
    return {"Authorization": f"Bearer {token}"} if token else {}


# What YAML does not take as it stands, or takes for the end of a line (YAML 1.1, 5.1 and 5.4).
_TO_ESCAPE = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")


def yaml_of(body: Object) -> bytes:
    """A body as JSON that is YAML too: an apply is read as YAML, which does not know JSON's pairs of surrogates."""
    text = json.dumps(body, ensure_ascii=False)
    return _TO_ESCAPE.sub(lambda found: f"\\u{ord(found[0]):04x}", text).encode()


def pause_before(retry_after: str, attempt: int) -> float:
    """Seconds until the next try: what the server asked for, at most 10, or a doubling pause."""
    return min(float(retry_after), 10.0) if retry_after.isdecimal() else 0.5 * 2**attempt


def is_or_wraps(error: Exception, kind: type[Exception]) -> bool:
    """urllib3 may wrap what happened as the reason of another error."""
    return isinstance(error, kind) or isinstance(getattr(error, "reason", None), kind)
