"""What looks like a login is not shown, and what does not stays readable."""

from __future__ import annotations

import pytest

from sohistio.system.masked import masked


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Invalid header value b'Bearer eyJhbGciOi.pay.sig\\n'", "Invalid header value b'Bearer …\\n'"),
        ("Bearer SECRETEXEC", "Bearer …"),
        ("got eyJhbGciOiJSUzI1NiIs.e30.sig here", "got … here"),
        ("token=SECRET123", "token=…"),
        ('{"access_token": "abc.def", "n": 1}', '{"access_token": "…", "n": 1}'),
        ("password: hunter2; user: ada", "password: …; user: ada"),
        ("AZURE_CLIENT_SECRET='x y'", "AZURE_CLIENT_SECRET='… y'"),
        ("Failed to parse: http://u:p%40w@10.0.0.1:99999", "Failed to parse: http://…@10.0.0.1:99999"),
        ("https://user@host/path and more@else", "https://…@host/path and more@else"),
        ("the token of context x is no token", "the token of context x is no token"),
        ("connection to https://10.0.0.1:6443/api refused", "connection to https://10.0.0.1:6443/api refused"),
    ],
)
def test_masked(text: str, shown: str) -> None:
    assert masked(text) == shown
