"""The file of the control socket, and who is at the other end of it."""

import os
import socket
import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BACKLOG = 16


class Occupied(Exception):
    """The socket cannot be had; the text says why and what to do."""


@contextmanager
def listening(path: Path) -> Iterator[socket.socket]:
    """A listening socket at *path* for our user alone; the file is removed afterwards."""
    with _bound(path) as server:
        try:
            yield server
        finally:
            path.unlink(missing_ok=True)


def _bound(path: Path) -> socket.socket:
    """Raises Occupied."""
    _clear(path)
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        server.setblocking(False)
        server.bind(str(path))
        path.chmod(0o600)  # nobody can have connected: it does not listen yet
        server.listen(BACKLOG)
    except OSError as error:
        server.close()
        raise Occupied(f"gateway.socket: {path}: {error}; name another place") from error
    return server


def _clear(path: Path) -> None:
    """Make the folder; remove what a process that is gone has left there. Raises Occupied."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _remove_stale(path)
    except OSError as error:
        raise Occupied(f"gateway.socket: {path}: {error}; name another place") from error


def _remove_stale(path: Path) -> None:
    if not os.path.lexists(path):
        return
    if not stat.S_ISSOCK(path.lstat().st_mode):
        raise Occupied(f"gateway.socket: {path}: this is no socket; remove it or name another")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
    raise Occupied(f"gateway.socket: {path}: another hjemgate runs already; stop it first")


def peer(client: socket.socket) -> int:
    """The user id of whoever connected, as the kernel saw it (unix(7), SO_PEERCRED)."""
    credentials = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _pid, uid, _gid = struct.unpack("3i", credentials)
    return int(uid)


def may_ask(uid: int) -> bool:
    return uid in (0, os.geteuid())
