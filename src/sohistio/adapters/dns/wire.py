"""One question to one name server: a DNS message there and its answer, bounded in time."""

from __future__ import annotations

import ipaddress
import socket
import time
from typing import TYPE_CHECKING

from sohistio.errors import RefusedError
from sohistio.model.dns import NameServer
from sohistio.system.parallel import within

if TYPE_CHECKING:
    from dns.message import Message

# A datagram may be lost: it is sent again after this.
_TRY_SECONDS = 1.5


class NoAnswerError(RefusedError):
    """A name server gave no answer that can be used; `why` is the reason alone.

    `asked` is whether the message may have reached it.
    """

    def __init__(self, server: NameServer, why: str, *, asked: bool = True) -> None:
        super().__init__(
            f"the name server {server} gave no answer",
            details=(why,),
            todo="Check the address in failover.dns and the network to it (port, firewall; UDP and TCP).",
        )
        self.server = server
        self.why = why
        self.asked = asked


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
                raise NoAnswerError(server, f"nothing came within {seconds:g} s") from None
        except (OSError, EOFError, dns.exception.DNSException) as error:
            raise NoAnswerError(server, _why(error)) from error


def send(server: NameServer, message: Message, seconds: float) -> Message:
    """The answer over TCP, where a message arrives once or not at all. Raises NoAnswerError, and TSIG's exceptions.

    The answer to a signed message is signed too, and verified; only that it was refused is believed without.
    """
    import dns.exception

    where, end = _address_of(server, seconds), time.monotonic() + seconds
    wire = message.to_wire()
    try:
        with socket.create_connection((where, server.port), seconds) as connection:
            connection.sendall(len(wire).to_bytes(2, "big") + wire)
            length = int.from_bytes(_received(connection, 2, end), "big")
            answer = _received(connection, length, end)
    except TimeoutError:
        raise NoAnswerError(server, f"nothing came over TCP within {seconds:g} s") from None
    except (OSError, EOFError) as error:
        raise NoAnswerError(server, _why(error), asked=not isinstance(error, ConnectionRefusedError)) from error
    try:
        found = _verified(server, message, answer)
    except dns.exception.DNSException as error:
        if type(error).__module__ == "dns.tsig":  # who signed says what is wrong with its key
            raise
        raise NoAnswerError(server, _why(error)) from error
    if not message.is_response(found):
        raise NoAnswerError(server, "it answered something else")
    return found


def _received(connection: socket.socket, length: int, end: float) -> bytes:
    data = b""
    while len(data) < length:
        connection.settimeout(max(end - time.monotonic(), 0.001))
        part = connection.recv(length - len(data))
        if not part:
            raise EOFError
        data += part
    return data


def _verified(server: NameServer, message: Message, answer: bytes) -> Message:
    """The answer, its signature verified. Raises NoAnswerError, DNSException."""
    import dns.message
    import dns.rcode

    if not message.had_tsig:
        return dns.message.from_wire(answer)
    unverified = dns.message.from_wire(answer, keyring=False)
    if unverified.had_tsig:
        return dns.message.from_wire(answer, keyring=message.keyring, request_mac=message.mac)
    if unverified.rcode() in {dns.rcode.NOERROR, dns.rcode.NXDOMAIN}:
        raise NoAnswerError(server, "its answer is not signed")
    return unverified


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

    found = within(seconds, look_up, None)
    if isinstance(found, str):
        return found
    why = (
        f"its name was not resolved within {seconds:g} s" if found is None else f"its name is unknown: {found.strerror}"
    )
    raise NoAnswerError(server, why, asked=False)
