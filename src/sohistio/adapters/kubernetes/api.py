"""Adapter: the Kubernetes API, raw. Lists are paged; every request has a deadline; errors are our own.

The kubernetes package reads the kubeconfig and signs requests; its typed models are not used (a list of 5,000 pods
costs seven times as much through them).
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy

from sohistio.adapters.kubernetes.errors import KubeError, Object, page_of
from sohistio.adapters.kubernetes.paths import Resource, base_of, discovered, resource_of
from sohistio.adapters.kubernetes.requests import Conduct, Listing, Request, Slimming
from sohistio.adapters.kubernetes.sender import TRIES, Sender
from sohistio.adapters.kubernetes.stream import Stream
from sohistio.model.kube_target import Bearer, KubeTarget
from sohistio.plan.ownership import OWN_MANAGER

__all__ = ["KubeApi", "KubeError", "Object"]


class KubeApi:
    """One cluster, over raw REST. Safe to use from several threads.

    With `bearer`, its tokens are used in place of the kubeconfig's user, a fresh one as soon as one is rejected.
    """

    def __init__(self, target: KubeTarget, bearer: Bearer | None = None) -> None:
        self._sender = Sender(target, bearer)
        self.server = self._sender.server
        self._resources: dict[str, Mapping[str, Resource]] = {}
        self.dry_runs: dict[str, Object] = {}  # what came back: what a plan asked, its run need not ask again

    def within(self, seconds: float) -> KubeApi:
        """The same cluster with another deadline for each request."""
        other = copy(self)
        other._sender = self._sender.within(seconds)
        return other

    def under(self, conduct: Conduct) -> KubeApi:
        """The same cluster for a run: `conduct` has a say in every request."""
        other = copy(self)
        other._sender = self._sender.under(conduct)
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
            del answer, found  # a page of pods takes many megabytes, and the next one comes now

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
        return self._sender.document(asked, {"Accept": accept, "Content-Type": content_type})

    def text(self, path: str, query: Mapping[str, str]) -> str:
        """What is no document, such as a container's log. Raises KubeError."""
        return self._sender.sent(Request("GET", path, query, None), {"Accept": "*/*"}).decode("utf-8", "replace")

    def opened(self, path: str, query: Mapping[str, str]) -> Stream:
        """An answer that comes bit by bit, such as a watch's; the deadline is for each bit. Raises KubeError."""
        found: list[Stream] = []
        self._sender.sent(Request("GET", path, query, None), {"Accept": "application/json"}, found.append)
        return found[0]
