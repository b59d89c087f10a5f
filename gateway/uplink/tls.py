"""TLS 1.3 with a certificate on either side; no fallback."""

import ssl

from gateway.config import Broker
from gateway.uplink.errors import UplinkError, tls_trouble


class TelltaleSocket(ssl.SSLSocket):
    """Remembers why TLS ended.

    With TLS 1.3 a broker refuses a client certificate after the handshake is over for us: the
    reason arrives with the first read, where paho-mqtt logs and forgets it.
    """

    trouble: str | None = None

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except OSError:
            self.close()  # paho-mqtt would leave it to the garbage collector
            raise

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        try:
            return super().recv(buflen, flags)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError as error:
            self.trouble = tls_trouble(error)
            raise


def context(broker: Broker) -> ssl.SSLContext:
    """Read the certificates, anew at each connection: they may have been renewed. Blocks.

    Raises UplinkError that names the file.
    """
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # verifies certificate and host name
    made.minimum_version = ssl.TLSVersion.TLSv1_3
    made.sslsocket_class = TelltaleSocket
    try:
        made.load_verify_locations(broker.ca)
    except (OSError, ssl.SSLError) as error:
        raise UplinkError("certificate", f"{broker.ca}: {_why(error)}") from error
    try:
        # An empty password: a key that wants one is an error, not a question on a terminal.
        made.load_cert_chain(broker.certificate, broker.key, password="")
    except (OSError, ssl.SSLError) as error:
        files = f"{broker.certificate}, {broker.key}"
        raise UplinkError("certificate", f"{files}: {_why(error)}") from error
    return made


def _why(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        if error.reason == "KEY_VALUES_MISMATCH":
            return "certificate and key do not belong together"
        return f"not readable as PEM without a password ({error.reason or error})"
    return error.strerror or str(error)
