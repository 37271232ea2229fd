"""An answer of the API server that comes bit by bit, as a watch's does: its documents, one a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from sohistio.adapters.kubernetes.errors import Object

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse


class Stream:
    """One answer, read by one thread; `end` may be called from another."""

    def __init__(self, response: BaseHTTPResponse) -> None:
        self._response = response

    def documents(self) -> Iterator[Object]:
        """Until the server ends it, it breaks, it is silent for the request's deadline, or `end` is called.

        None of these tells what was missed: whoever reads on asks again from where it is. A line that is no document
        ends it, too.
        """
        import urllib3

        rest = b""
        # ValueError: no JSON; AttributeError: what urllib3 does when another thread ends a chunked answer.
        with suppress(urllib3.exceptions.HTTPError, OSError, ValueError, AttributeError):
            for part in self._response.stream(amt=None, decode_content=True):
                *lines, rest = (rest + part).split(b"\n")
                for line in filter(None, lines):
                    document = json.loads(line)
                    if not isinstance(document, dict):
                        return
                    yield document

    def end(self) -> None:
        """Whoever reads it reads no more."""
        with suppress(OSError, ValueError, RuntimeError, AttributeError):
            self._response.shutdown()

    def close(self) -> None:
        """Give the connection back, for the one who has read it."""
        with suppress(OSError):
            self._response.close()
