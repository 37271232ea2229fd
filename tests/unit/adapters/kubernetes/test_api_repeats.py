"""Which requests are tried again after an answer was lost, and which are not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from api_server import ApiServer, Reply
from sohistio.adapters.kubernetes.api import KubeError

PATH = "/api/v1/namespaces/shop/configmaps/x"
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
BOUND = {"metadata": {"resourceVersion": "5", "labels": {"a": "b"}}}


@pytest.mark.parametrize("trouble", [Reply({}, 500, {"Retry-After": "0"}), Reply(reset=True)], ids=["500", "reset"])
@pytest.mark.parametrize(
    ("method", "path", "body", "again"),
    [
        pytest.param("PATCH", PATH, {"data": {"a": "b"}}, True, id="merge-patch"),
        pytest.param("DELETE", PATH, None, True, id="delete"),
        pytest.param("POST", REVIEWS, {"spec": {}}, True, id="a-question-of-rights"),
        pytest.param("PATCH", PATH, BOUND, False, id="patch-bound-to-a-version"),
        pytest.param("PUT", PATH, BOUND, False, id="replace"),
        pytest.param("POST", PATH, {"data": {}}, False, id="create"),
    ],
)
def test_what_ends_the_same_is_tried_again(
    tmp_path: Path, method: str, path: str, body: dict[str, Any] | None, again: bool, trouble: Reply
) -> None:
    with ApiServer() as server:
        server.answers(method, path, trouble, Reply({"kind": "Status"}))
        api = server.api(tmp_path)
        if again:
            assert api.request(method, path, body=body) == {"kind": "Status"}
        else:
            with pytest.raises(KubeError):
                api.request(method, path, body=body)
        assert len(server.asked) == (2 if again else 1)
