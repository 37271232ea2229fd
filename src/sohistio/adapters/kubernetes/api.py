"""Adapter: the Kubernetes API, raw. Lists are paged; every request has a deadline; errors are our own.

The kubernetes package reads the kubeconfig and signs requests; its typed models are not used (a list of 5,000 pods
costs seven times as much through them).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from copy import copy

from sohistio.adapters.kubernetes.errors import (
    KubeError,
    Object,
    document_of,
    page_of,
    refused,
    unreachable,
    untrusted,
)
from sohistio.adapters.kubernetes.kubeconfig import client_for
from sohistio.adapters.kubernetes.paths import Resource, base_of, discovered, resource_of
from sohistio.adapters.kubernetes.requests import (
    Conduct,
    Listing,
    Request,
    Slimming,
    bearing,
    is_or_wraps,
    pause_before,
    token_of,
    yaml_of,
)
from sohistio.adapters.kubernetes.stream import Stream
from sohistio.model.kube_target import Bearer, KubeTarget
from sohistio.plan.ownership import OWN_MANAGER

__all__ = ["KubeApi", "KubeError", "Object"]

# A write may wait for admission webhooks (10 s each by default); a read has nothing to wait for.
REQUEST_SECONDS = 30
READ_SECONDS = 15
# A listing that keeps expiring, or a failing server, ends after so many tries; a silent one sooner: each takes long.
TRIES = 4
TRIES_IN_SILENCE = 2
Taking = Callable[[Stream], None] | None


class KubeApi:
    """One cluster, over raw REST. Safe to use from several threads.

    With `bearer`, its tokens are used in place of the kubeconfig's user, a fresh one as soon as one is rejected.
    """

    def __init__(self, target: KubeTarget, bearer: Bearer | None = None) -> None:
        self._client = client_for(target, with_user=bearer is None)
        self._bearer = bearer
        self.server = str(self._client.configuration.host)
        self._resources: dict[str, Mapping[str, Resource]] = {}
        self._seconds: float = REQUEST_SECONDS
        self._conduct: Conduct | None = None
        self.dry_runs: dict[str, Object] = {}  # pods as they came back: what a plan asked, its run need not ask again

    def within(self, seconds: float) -> KubeApi:
        """The same cluster with another deadline for each request."""
        other = copy(self)
        other._seconds = seconds
        return other

    def under(self, conduct: Conduct) -> KubeApi:
        """The same cluster for a run: `conduct` has a say in every request."""
        other = copy(self)
        other._conduct = conduct
        return other

    def get(self, path: str) -> Object | None:
        """The object at `path`, or None where there is none."""
        try:
            return self.request("GET", path)
        except KubeError as error:
            if error.status == 404:
                return None
            raise

    def items(
        self,
        path: str,
        *,
        labels: str = "",
        fields: str = "",
        metadata_only: bool = False,
        slim: Slimming | None = None,
    ) -> list[Object]:
        """All objects at `path`, page by page, of each what `slim` leaves. An expired page token (410) starts the
        listing again.
        """
        return self._listed(Listing(path, labels, fields, metadata_only, slim))

    def _listed(self, asked: Listing) -> list[Object]:
        for attempt in range(TRIES):
            try:
                return self._pages(asked)
            except KubeError as error:
                if error.status != 410 or attempt == TRIES - 1:
                    raise
        raise AssertionError("unreachable")  # pragma: no cover

    def _pages(self, asked: Listing) -> list[Object]:
        items: list[Object] = []
        token = ""  # nosec B105
        while True:
            answer = self.request("GET", asked.path, query=asked.query(token), accept=asked.accept)
            found, token = page_of(self.server, answer)
            items.extend(map(asked.slim, found) if asked.slim else found)
            if not token:
                return items

    def dry_run_apply(self, path: str, obj: Object, manager: str) -> Object:
        """What a forced server-side apply by `manager` would leave at `path`; nothing is written."""
        query = {"fieldManager": manager, "force": "true", "dryRun": "All"}
        return self.request("PATCH", path, query=query, body=obj, content_type="application/apply-patch+yaml")

    def try_apply(self, path: str, obj: Object, manager: str) -> Object:
        """As `apply` without force, and nothing is written: KubeError (409) names another manager's fields."""
        query = {"fieldManager": manager, "force": "false", "dryRun": "All"}
        return self.request("PATCH", path, query=query, body=obj, content_type="application/apply-patch+yaml")

    def merge_patch(self, path: str, patch: Object) -> Object:
        """Write a JSON merge patch as field manager sohistio."""
        query = {"fieldManager": OWN_MANAGER}
        return self.request("PATCH", path, query=query, body=patch, content_type="application/merge-patch+json")

    def apply(self, path: str, obj: Object, manager: str, *, force: bool = False) -> Object:
        """Server-side apply; raises KubeError (409) where another manager owns a field and `force` is not given."""
        query = {"fieldManager": manager, "force": str(force).lower()}
        return self.request("PATCH", path, query=query, body=obj, content_type="application/apply-patch+yaml")

    def create(self, collection: str, obj: Object) -> Object:
        """Create an object; raises KubeError (409) where it exists."""
        return self.request("POST", collection, query={"fieldManager": OWN_MANAGER}, body=obj)

    def replace(self, path: str, obj: Object) -> Object:
        """Write the whole object; raises KubeError (409) where its resourceVersion is no longer the newest."""
        return self.request("PUT", path, query={"fieldManager": OWN_MANAGER}, body=obj)

    def delete(self, path: str, *, with_dependents: bool = False) -> bool:
        """Delete an object; False where it is gone already. `with_dependents` keeps it until what it owns is gone."""
        query = {"propagationPolicy": "Foreground"} if with_dependents else {}
        try:
            self.request("DELETE", path, query=query)
        except KubeError as error:
            if error.status == 404:
                return False
            raise
        return True

    def path_of(self, obj: Object) -> str:
        """The REST path of an object. Raises KubeError (404) where the server does not know its kind."""
        group_version, kind, metadata = obj["apiVersion"], obj["kind"], obj["metadata"]
        resource = resource_of(group_version, kind, self._discovered)
        if resource is None:
            raise KubeError(f"the API server does not know {group_version} {kind}", 404)
        return resource.path(metadata["name"], metadata["namespace"] if resource.namespaced else "")

    def _discovered(self, group_version: str) -> Mapping[str, Resource]:
        if group_version not in self._resources:
            listing = self.request("GET", base_of(group_version))
            self._resources[group_version] = discovered(group_version, listing)
        return self._resources[group_version]

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Object | None = None,
        content_type: str = "application/json",
        accept: str = "application/json",
    ) -> Object:
        """One request, with a deadline, tried again a few times where that is safe.

        Whatever the request, it is safe where the server has not begun it: throttled (429) or not connected. After a
        lost answer or a 5xx it is safe for what ends the same when done twice: reads, dry runs, questions of rights,
        applies, merge patches and deletions; not for creating or replacing, nor for a patch bound to a
        resourceVersion, where the second try would take the first one's success for somebody else's write (409).
        """
        asked = Request(method, path, query or {}, body)
        headers = {"Accept": accept, "Content-Type": content_type}
        while True:
            try:
                return document_of(self.server, self._tried(asked, headers))
            except KubeError as error:
                lasts = not error.passing or (asked.is_dry_run and error.status)
                if self._conduct is None or asked.writes or lasts:
                    raise
                self._conduct.read_failed(error)

    def text(self, path: str, query: Mapping[str, str]) -> str:
        """What is no document, such as a container's log. Raises KubeError."""
        return self._tried(Request("GET", path, query, None), {"Accept": "*/*"}).decode("utf-8", "replace")

    def opened(self, path: str, query: Mapping[str, str]) -> Stream:
        """An answer that comes bit by bit, such as a watch's; the deadline is for each bit. Raises KubeError."""
        found: list[Stream] = []
        self._tried(Request("GET", path, query, None), {"Accept": "application/json"}, found.append)
        return found[0]

    def _tried(self, asked: Request, headers: Mapping[str, str], take: Taking = None) -> bytes:
        """The answer; with `take` that gets a good one as it comes, and nothing is returned."""
        import urllib3
        from kubernetes.client.exceptions import ApiException

        method, path, body = asked.method, asked.path, asked.body
        rejected = ""
        for attempt in range(TRIES):
            last = attempt == TRIES - 1
            token = token_of(self._bearer, self.server, rejected)
            arguments = self._client.param_serialize(
                method,
                path,
                query_params=list(asked.query.items()),
                header_params={**headers, **bearing(token)},
                # Bytes are sent as they stand.
                body=yaml_of(body) if body is not None and "apply" in headers.get("Content-Type", "") else body,
                auth_settings=["BearerToken"],
            )
            # Whoever gives tokens may have been slow: what the run may do is asked for last.
            seconds = self._seconds_for(asked)
            try:
                response = self._client.call_api(*arguments, _request_timeout=seconds)
                data: bytes = b"" if take and response.status == 200 else response.read()
            # The kubernetes package makes an ApiException of urllib3's SSLError.
            except (urllib3.exceptions.HTTPError, ApiException) as error:
                cause = str(getattr(error, "reason", None) or error)
                if "CERTIFICATE" in cause:
                    raise untrusted(self.server, cause) from error
                silent = is_or_wraps(error, urllib3.exceptions.TimeoutError) and attempt + 1 >= TRIES_IN_SILENCE
                not_sent = is_or_wraps(error, urllib3.exceptions.NewConnectionError)
                if last or silent or not (asked.ends_the_same or not_sent):
                    raise unreachable(self.server, cause) from error
                time.sleep(0.2 * 2**attempt)
                continue
            if self._conduct and response.status != 429 and response.status < 500:
                self._conduct.answered()
            if 200 <= response.status < 300:
                if take:
                    take(Stream(response.response))
                return data
            if response.status == 401 and token and not rejected and not last:
                rejected = token  # it ended on its way; the server has not begun anything
                continue
            failing = response.status >= 500 and asked.ends_the_same
            if last or not (failing or response.status == 429):
                raise refused(method, path, response.status, data)
            time.sleep(pause_before(response.headers.get("Retry-After", ""), attempt))
        raise AssertionError("unreachable")  # pragma: no cover

    def _seconds_for(self, asked: Request) -> float:
        """The deadline of one try. Raises what the conduct does."""
        seconds = min(self._seconds, READ_SECONDS) if asked.method == "GET" else self._seconds
        if self._conduct is None:
            return seconds
        return min(seconds, self._conduct.seconds_for(asked))
