"""A policy engine on loopback: an admission webhook that takes the sidecar out of new pods while it is told to.

With `spares_dry_runs` it lets dry runs pass; with `denies` it refuses all pods, in these words.
"""

from __future__ import annotations

import base64
import json
import ssl
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from loopback import LoopbackServer

_PROXY = "istio-proxy"


class PolicyEngine(LoopbackServer):
    """Called after Istio's webhooks, as its configuration's name comes later; what else they wrote stays."""

    def __init__(self, context: ssl.SSLContext, root: str) -> None:
        self.strips, self.spares_dry_runs, self.denies = False, False, ""
        self._root = root
        super().__init__(_server(self), context)

    def configuration(self, place: str) -> dict[str, Any]:
        """The MutatingWebhookConfiguration that has it asked about new pods of a namespace."""
        rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
        bundle = base64.b64encode(self._root.encode()).decode()
        return {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "MutatingWebhookConfiguration",
            "metadata": {"name": "zz-policy"},
            "webhooks": [
                {
                    "name": "policy.example.com",
                    "admissionReviewVersions": ["v1"],
                    "sideEffects": "None",
                    "clientConfig": {"url": f"{self.address}/mutate", "caBundle": bundle},
                    "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": place}},
                    "rules": [rule],
                }
            ],
        }


def _patch(pod: dict[str, Any]) -> list[dict[str, str]]:
    """Removes the proxy, wherever it is, and nothing else of the injection."""
    return [
        {"op": "remove", "path": f"/spec/{key}/{number}"}
        for key in ("initContainers", "containers")
        for number, container in enumerate(pod["spec"].get(key) or ())
        if container["name"] == _PROXY
    ]


def _server(engine: PolicyEngine) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["request"]
            answer: dict[str, Any] = {"uid": request["uid"], "allowed": True}
            if engine.strips and not (engine.spares_dry_runs and request["dryRun"]):
                patch = json.dumps(_patch(request["object"])).encode()
                answer |= {"patchType": "JSONPatch", "patch": base64.b64encode(patch).decode()}
            if engine.denies:
                answer |= {"allowed": False, "status": {"message": engine.denies}}
            kind = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"}
            body = json.dumps(kind | {"response": answer}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    return server
