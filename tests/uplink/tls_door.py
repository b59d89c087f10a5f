"""A TLS server that shakes hands and then says nothing: plain blocking sockets, a thread each.

asyncio's server drops the alert with which a handshake ends; a real broker sends it. So does this.
"""

import socket
import ssl
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from simulator.pki import Identity

LONG_S = 10.0


class TlsDoor:
    """Opens at any port of this machine for the time of its `with`."""

    def __init__(self, identity: Identity, ca: Path) -> None:
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(identity.certificate, identity.key)
        self.tls.load_verify_locations(ca)
        self.tls.verify_mode = ssl.CERT_REQUIRED
        self._threads: list[threading.Thread] = []
        self._closing = threading.Event()

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._start(self._accept)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._closing.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(LONG_S)

    def _start(self, target: object, *args: object) -> None:
        thread = threading.Thread(target=target, args=args)  # type: ignore[arg-type]  # a function
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            self._start(self._greet, peer)

    def _greet(self, peer: socket.socket) -> None:
        with peer:
            peer.settimeout(LONG_S)
            try:
                with self.tls.wrap_socket(peer, server_side=True) as spoken:
                    self._closing.wait(LONG_S)
                    spoken.close()
            except OSError:
                _drain(peer)


def _drain(peer: socket.socket) -> None:
    """Let the other end read our alert: to close at once would reset the connection."""
    try:
        peer.shutdown(socket.SHUT_WR)
        while peer.recv(4096):
            continue
    except OSError:
        return
