"""The few REST calls the sandbox itself makes to its API server."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sohistio.errors import FailedError

STRATEGIC = "application/strategic-merge-patch+json"
MERGE = "application/merge-patch+json"


class ClusterApiError(FailedError):
    """The API server refused a call (`status` is HTTP's) or did not answer (`status` is 0)."""

    def __init__(self, what: str, status: int) -> None:
        super().__init__(what)
        self.status = status


class ClusterApi:
    """JSON over HTTPS, verified by the API server's own authority. All calls raise ClusterApiError."""

    def __init__(self, server: str, authority: Path, token: str) -> None:
        import httpx

        self._client = httpx.Client(
            base_url=server,
            headers={"Authorization": f"Bearer {token}"},
            verify=ssl.create_default_context(cafile=str(authority)),
            timeout=10,
            trust_env=False,
        )

    def get(self, path: str, **parameters: str) -> dict[str, Any]:
        return self._call("GET", path, parameters=parameters)

    def items(self, path: str, **parameters: str) -> list[dict[str, Any]]:
        """The items of a list; none where the server has no such list."""
        found: list[dict[str, Any]] = self.get(path, **parameters).get("items") or []
        return found

    def create(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return self._call("POST", path, body=body)

    def patch(self, path: str, body: dict[str, Any], kind: str = MERGE) -> dict[str, Any]:
        return self._call("PATCH", path, body=body, kind=kind)

    def delete(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        return self._call("DELETE", path, body=body)

    def watch(self, path: str, seconds: int, **parameters: str) -> Iterator[dict[str, Any]]:
        """The events of a watch, which the server ends after this many seconds."""
        import httpx

        parameters |= {"watch": "1", "timeoutSeconds": str(seconds)}
        try:
            timeout = httpx.Timeout(10, read=seconds + 10)
            with self._client.stream("GET", path, params=parameters, timeout=timeout) as response:
                if response.is_error:
                    raise ClusterApiError(f"watch {path}: {response.status_code}", response.status_code)
                for line in response.iter_lines():
                    yield json.loads(line)
        except (httpx.HTTPError, httpx.StreamError, ValueError) as error:
            raise ClusterApiError(f"watch {path}: {error or type(error).__name__}", 0) from error

    def close(self) -> None:
        self._client.close()

    def _call(
        self,
        method: str,
        path: str,
        *,
        body: dict[str, Any] | None = None,
        parameters: dict[str, str] | None = None,
        kind: str = "application/json",
    ) -> dict[str, Any]:
        import httpx

        try:
            response = self._client.request(
                method,
                path,
                params=parameters,
                json=body,
                headers={"Content-Type": kind} if body is not None else None,
            )
            answer: Any = response.json() if "json" in response.headers.get("Content-Type", "") else {}
        except (httpx.HTTPError, ValueError) as error:
            raise ClusterApiError(f"{method} {path}: {error or type(error).__name__}", 0) from error
        if response.is_error:
            reason = answer.get("message", response.text) if isinstance(answer, dict) else response.text
            raise ClusterApiError(f"{method} {path}: {response.status_code} {reason}", response.status_code)
        return answer if isinstance(answer, dict) else {}
