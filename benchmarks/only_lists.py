"""The lists of a look at a cluster, asked for as sohistio asks, and thrown away: the API server's own time for them.

only_lists.py KUBECONFIG CONTEXT
"""

from __future__ import annotations

import re
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sohistio.adapters.kubernetes.requests import Listing, Request
from sohistio.adapters.kubernetes.sender import Sender
from sohistio.model.kube_target import KubeTarget

APPS, CORE = "/apis/apps/v1", "/api/v1"
LISTS = (
    *(f"{APPS}/{name}" for name in ("deployments", "statefulsets", "daemonsets", "replicasets")),
    *(f"{CORE}/{name}" for name in ("namespaces", "pods", "services")),
)
TOKEN = re.compile(rb'"continue":"([^"]*)"')


class Bytes(Sender):
    """Answers as bytes: nothing is read of them but where the next page is."""

    def pages(self, path: str) -> int:
        """How many bytes a list has."""
        token, size = "", 0
        while True:
            asked = Listing(path, metadata_only=path.endswith("replicasets"))
            text = self.sent(Request("GET", path, asked.query(token), None), {"Accept": asked.accept})
            size += len(text)
            found = TOKEN.search(text[:500])
            if found is None or not found[1]:
                return size
            token = found[1].decode()


if __name__ == "__main__":
    api = Bytes(KubeTarget(Path(sys.argv[1]), sys.argv[2]), None)
    with ThreadPoolExecutor(8) as pool:
        print(sum(pool.map(api.pages, LISTS)))
