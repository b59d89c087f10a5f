"""What can go wrong on the way up, in words for the technician who must act."""

import errno
import socket
import ssl
from typing import Final, Literal, Self

Kind = Literal[
    "certificate",  # our own files cannot be used
    "unreachable",  # no such name, no route, nobody listens
    "tls",  # broker and gateway do not believe each other
    "clock",  # its certificate is not valid yet: our clock is behind, and may soon be set
    "refused",  # the broker said no, with a reason code
    "lost",  # the connection ended
    "unanswered",  # the broker does not answer
    "protocol",  # what it said is not MQTT 5 as we need it
]


class UplinkError(Exception):
    """The broker cannot be used now. Nothing is lost: every row stays due.

    `slow` says that it will not mend by itself soon.
    """

    def __init__(self, kind: Kind, words: str, code: int | None = None) -> None:
        super().__init__(words)
        self.kind: Final[Kind] = kind
        self.words: Final = words
        self.reason_code: Final = code
        self.slow: Final = kind in {"certificate", "tls"} or code in _SLOW

    def again(self) -> Self:
        """The same for another waiter: an exception object belongs to one raise."""
        return type(self)(self.kind, self.words, self.reason_code)


class Refused(Exception):
    """The broker will never take this message: park it."""

    def __init__(self, words: str, code: int) -> None:
        super().__init__(words)
        self.reason_code: Final = code


TOO_LARGE: Final = 0x95
FORMAT_INVALID: Final = 0x99
FOR_GOOD: Final = {TOO_LARGE, FORMAT_INVALID}

_SLOW: Final = {0x82, 0x84, 0x85, 0x86, 0x87, 0x8A, 0x8C, 0x8E, 0x90, 0x9A, 0x9B, 0x9C, 0x9D}

# MQTT 5.0, 2.4: the codes that a technician may meet, and what to do about them.
_REASONS: Final = {
    0x81: "malformed packet: is something else than MQTT 5 listening there?",
    0x82: "protocol error: report this, with the broker's log",
    0x84: "MQTT 5 is not supported: use a broker that speaks it",
    0x85: "client id not valid: the broker must accept the gateway id",
    0x86: "bad user name or password: the broker must take the name from the certificate",
    0x87: "not authorised: check the broker's access list for this gateway",
    0x88: "server unavailable",
    0x89: "server busy",
    0x8A: "banned: ask the broker's administrator",
    0x8B: "server shutting down",
    0x8D: "keep alive timeout: the connection was silent for too long",
    0x8E: "session taken over: another gateway runs with the same id and certificate",
    0x90: "topic name not valid: check the broker's access list and limits",
    TOO_LARGE: "packet too large: raise the broker's limit",
    0x96: "message rate too high",
    0x97: "quota exceeded: the broker keeps too much for somebody",
    FORMAT_INVALID: "payload format not valid",
    0x9A: "retain not supported: allow retained messages on up/status",
    0x9B: "quality of service not supported: the broker must offer QoS 1",
    0x9C: "use another server",
    0x9D: "server moved",
    0x9F: "connection rate exceeded",
}


def reason(code: int) -> str:
    """A reason code in words."""
    return f"{_REASONS.get(code, 'no reason we know')} (0x{code:02X})"


def unreachable(error: OSError | UnicodeError, host: str, port: int) -> UplinkError:
    """Why the connection to *host* could not be opened."""
    where = f"{host}:{port}"
    match error:
        case ssl.SSLCertVerificationError() if "not yet valid" in error.verify_message:
            words = "the broker's certificate is not valid yet: is this gateway's clock right?"
            return UplinkError("clock", f"{where}: {words}")
        case ssl.SSLError():
            return UplinkError("tls", f"{where}: {tls_trouble(error)}")
        case socket.gaierror() | UnicodeError():
            return UplinkError(
                "unreachable", f"{host}: no such name; check broker.host and the network"
            )
        case ConnectionRefusedError():
            return UplinkError("unreachable", f"{where}: nobody listens; is the broker running?")
        case TimeoutError():
            return UplinkError("unreachable", f"{where}: no answer; is the port open on the way?")
        case OSError(errno=errno.ENETUNREACH | errno.EHOSTUNREACH):
            return UplinkError("unreachable", f"{where}: no route; is the network up?")
        case _:
            return UplinkError("unreachable", f"{where}: {error}")


_ALERTS: Final = {
    "CERTIFICATE_REQUIRED": "the broker saw no certificate of ours that it accepts",
    "UNKNOWN_CA": "the broker does not know the authority that signed our certificate",
    "CERTIFICATE_EXPIRED": "the broker says that our certificate is out of date",
    "CERTIFICATE_REVOKED": "the broker says that our certificate was withdrawn",
    "BAD_CERTIFICATE": "the broker does not accept our certificate",
    "PROTOCOL_VERSION": "the broker does not speak TLS 1.3",
    "UNSUPPORTED_PROTOCOL": "the broker does not speak TLS 1.3",
    "WRONG_VERSION_NUMBER": "no TLS is spoken there; check broker.port",
}


def tls_trouble(error: ssl.SSLError) -> str:
    """What broker and gateway did not like about each other."""
    if isinstance(error, ssl.SSLCertVerificationError):
        why = error.verify_message
        return f"the broker's certificate is not to be trusted ({why}); check broker.ca and host"
    told = error.reason or ""
    for alert, words in _ALERTS.items():
        if alert in told:
            return words
    return f"TLS failed ({told or error})"
