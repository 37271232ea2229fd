"""One question to one name server: a DNS message there and its answer, bounded in time."""

from __future__ import annotations

import ipaddress
import socket
import time
from typing import TYPE_CHECKING

from sohistio.errors import RefusedError
from sohistio.model.dns import NameServer
from sohistio.system.parallel import in_time

if TYPE_CHECKING:
    from dns.message import Message

# A datagram may be lost: it is sent again after this.
_TRY_SECONDS = 1.5


class NoAnswerError(RefusedError):
    """A name server gave no answer that can be used; `why` is the reason alone."""

    def __init__(self, server: NameServer, why: str) -> None:
        super().__init__(
            f"the name server {server} gave no answer",
            details=(why,),
            todo="Check the address in failover.dns and the network to it (port, firewall; UDP and TCP).",
        )
        self.server = server
        self.why = why


def ask(server: NameServer, message: Message, seconds: float) -> Message:
    """The answer over UDP, asked again where it is lost, over TCP where it is too long. Raises NoAnswerError."""
    import dns.exception
    import dns.query

    end = time.monotonic() + seconds
    where = _address_of(server, seconds)
    while True:
        left = end - time.monotonic()
        try:
            answer, _ = dns.query.udp_with_fallback(
                message,
                where,
                min(_TRY_SECONDS, max(left, 0.1)),
                server.port,
                ignore_unexpected=True,
                ignore_errors=True,
            )
            return answer
        except dns.exception.Timeout:
            if end - time.monotonic() <= 0:
                raise NoAnswerError(server, f"nothing came within {seconds:.0f} s") from None
        except (OSError, EOFError, dns.exception.DNSException) as error:
            raise NoAnswerError(server, _why(error)) from error


def send(server: NameServer, message: Message, seconds: float) -> Message:
    """The answer over TCP, where a message arrives once or not at all. Raises NoAnswerError, and TSIG's exceptions."""
    import dns.exception
    import dns.query
    import dns.tsig

    where = _address_of(server, seconds)
    try:
        return dns.query.tcp(message, where, seconds, server.port)
    except dns.exception.Timeout:
        raise NoAnswerError(server, f"nothing came over TCP within {seconds:.0f} s") from None
    except (dns.tsig.PeerError, dns.tsig.BadSignature, dns.tsig.BadTime, dns.tsig.BadKey, dns.tsig.BadAlgorithm):
        raise
    except (OSError, EOFError, dns.exception.DNSException) as error:
        raise NoAnswerError(server, _why(error)) from error


def _why(error: Exception) -> str:
    if isinstance(error, EOFError):
        return "it closed the connection without an answer"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _address_of(server: NameServer, seconds: float) -> str:
    """The server's IP address. The system looks up a host name, which may take its time: at most `seconds` here."""
    try:
        return str(ipaddress.ip_address(server.host))
    except ValueError:
        pass

    def look_up() -> str | OSError:
        try:
            return str(socket.getaddrinfo(server.host, server.port, type=socket.SOCK_DGRAM)[0][4][0])
        except OSError as error:
            return error

    found = in_time({server.host: (look_up, seconds)}).get(server.host)
    if isinstance(found, str):
        return found
    why = (
        f"its name was not resolved within {seconds:.0f} s"
        if found is None
        else f"its name is unknown: {found.strerror}"
    )
    raise NoAnswerError(server, why)
