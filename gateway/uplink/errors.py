"""What can go wrong on the way up, in words for the technician who must act."""

import errno
import socket
import ssl
from collections.abc import Mapping
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

    `words` say what happened, `cure` what to do; `slow`: it will not mend by itself soon.
    """

    def __init__(self, kind: Kind, words: str, code: int | None = None) -> None:
        super().__init__(words)
        self.kind: Final[Kind] = kind
        self.words: Final = words
        self.reason_code: Final = code
        self.slow: Final = kind in {"certificate", "tls"} or code in _SLOW
        self.cure: Final = _CURES[kind]

    def again(self) -> Self:
        """The same for another waiter: an exception object belongs to one raise."""
        return type(self)(self.kind, self.words, self.reason_code)


class Refused(Exception):
    """The broker will never take this message: park it."""

    def __init__(self, words: str, code: int) -> None:
        super().__init__(words)
        self.reason_code: Final = code


_CURES: Final[Mapping[Kind, str]] = {
    "certificate": "Put right the files that the section [broker] names.",
    "unreachable": "Check the home's internet, then broker.host and broker.port.",
    "tls": "Somebody must look at the section [broker], and at the certificates at either end.",
    "clock": "It goes on by itself once the clock is set: check the network, and `timedatectl`.",
    "refused": "Somebody must look at the broker.",
    "lost": "It comes back by itself. If it does not, check the home's internet, then the broker.",
    "unanswered": "Somebody must look at the broker, and at what stands on the way to it.",
    "protocol": "Check broker.host and broker.port; then somebody must look at the broker.",
}

TOO_LARGE: Final = 0x95
FORMAT_INVALID: Final = 0x99
FOR_GOOD: Final = {TOO_LARGE, FORMAT_INVALID}

_SLOW: Final = {
    *(0x82, 0x84, 0x85, 0x86, 0x87, 0x8A, 0x8C, 0x8E, 0x8F, 0x90, 0x9A, 0x9B, 0x9C, 0x9D)
}

# MQTT 5.0, 2.4: the codes that a technician may meet, and what to do about them.
_REASONS: Final = {
    0x00: "without a reason",
    0x80: "unspecified error: see the broker's log",
    0x81: "malformed packet: is something else than MQTT 5 listening there?",
    0x82: "protocol error: report this, with the broker's log",
    0x83: "an error of this broker's own: see its log",
    0x84: "MQTT 5 is not supported: use a broker that speaks it",
    0x85: "client id not valid: the broker must accept the gateway id",
    0x86: "bad user name or password: the broker must take the name from the certificate",
    0x87: "not authorised: check the broker's access list for this gateway",
    0x88: "server unavailable",
    0x89: "server busy",
    0x8A: "banned: ask the broker's administrator",
    0x8B: "server shutting down",
    0x8C: "bad authentication method: the broker must ask for the certificate alone",
    0x8D: "keep alive timeout: the connection was silent for too long",
    0x8E: "session taken over: another gateway runs with the same id and certificate",
    0x8F: "topic filter not valid: check the broker's access list and limits",
    0x90: "topic name not valid: check the broker's access list and limits",
    0x91: "packet identifier in use: report this, with the broker's log",
    0x93: "receive maximum exceeded: report this, with the broker's log",
    0x94: "topic alias not valid: report this, with the broker's log",
    TOO_LARGE: "packet too large: raise the broker's limit",
    0x96: "message rate too high",
    0x97: "quota exceeded: the broker keeps too much for somebody",
    0x98: "administrative action: somebody at the broker ended it",
    FORMAT_INVALID: "payload format not valid",
    0x9A: "retain not supported: allow retained messages on up/status",
    0x9B: "quality of service not supported: the broker must offer QoS 1",
    0x9C: "use another server: ask which, and change broker.host",
    0x9D: "server moved: ask where to, and change broker.host",
    0x9F: "connection rate exceeded",
    0xA0: "maximum connect time: the broker ends every connection after a while",
}


def reason(code: int) -> str:
    """A reason code in words."""
    return f"{_REASONS.get(code, 'no reason we know')} (0x{code:02X})"


def unreachable(error: OSError | UnicodeError, host: str, port: int) -> UplinkError:
    """Why the connection to *host* could not be opened."""
    where = f"{host}:{port}"
    match error:
        case ssl.SSLCertVerificationError(verify_code=9):  # X509_V_ERR_CERT_NOT_YET_VALID
            words = "the broker's certificate is not valid yet: is this gateway's clock right?"
            return UplinkError("clock", f"{where}: {words}")
        case ssl.SSLEOFError() | ConnectionResetError():  # so does a proxy without its broker
            words = "hung up before TLS was agreed: is it the port for TLS, and is the broker up?"
            return UplinkError("unreachable", f"{where}: {words}")
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


# OpenSSL, X509_verify_cert_error_string: what we do not like about the broker's certificate.
_OUT_OF_DATE: Final = (
    "the broker's certificate is out of date: renew it there; or is this gateway's clock ahead?"
)
_OTHER_NAME: Final = "the broker's certificate is not for this name: check broker.host"
_STRANGE: Final = "the broker's certificate is not by the authority in broker.ca: check both"
_DISTRUST: Final = {
    10: _OUT_OF_DATE,  # CERT_HAS_EXPIRED
    18: _STRANGE,  # DEPTH_ZERO_SELF_SIGNED_CERT
    19: _STRANGE,  # SELF_SIGNED_CERT_IN_CHAIN
    20: _STRANGE,  # UNABLE_TO_GET_ISSUER_CERT_LOCALLY
    21: _STRANGE,  # UNABLE_TO_VERIFY_LEAF_SIGNATURE
    62: _OTHER_NAME,  # HOSTNAME_MISMATCH
    64: _OTHER_NAME,  # IP_ADDRESS_MISMATCH
}

# RFC 8446, 6.2: what the broker does not like about ours.
_ALERTS: Final = {
    "CERTIFICATE_REQUIRED": "the broker saw no certificate of ours that it accepts",
    "UNKNOWN_CA": "the broker does not know the authority that signed our certificate",
    "CERTIFICATE_EXPIRED": "the broker says that our certificate is out of date",
    "CERTIFICATE_REVOKED": "the broker says that our certificate was withdrawn",
    "BAD_CERTIFICATE": "the broker does not accept our certificate",
    "PROTOCOL_VERSION": "the broker does not speak TLS 1.3",
    "UNSUPPORTED_PROTOCOL": "the broker does not speak TLS 1.3",
    "HANDSHAKE_FAILURE": "broker and gateway have no cipher in common",
    "WRONG_VERSION_NUMBER": "no TLS is spoken there; check broker.port",
    "UNEXPECTED_MESSAGE": "no TLS is spoken there; check broker.port",
}


def tls_trouble(error: ssl.SSLError) -> str:
    """What broker and gateway did not like about each other."""
    if isinstance(error, ssl.SSLCertVerificationError):
        why = error.verify_message
        otherwise = f"the broker's certificate is not to be trusted ({why})"
        return _DISTRUST.get(error.verify_code, otherwise)
    told = error.reason or ""
    for alert, words in _ALERTS.items():
        if alert in told:
            return words
    return f"TLS failed ({told or error})"
