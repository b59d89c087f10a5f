"""SQLite's own code on a modelled disk, through the file system that apsw lets us write."""

import itertools

import apsw

from tests.powercut.disk import SECTOR, Disk

_names = itertools.count(1)


class Vfs(apsw.VFS):
    """A file system of one disk. Its names are made anew, so that two can stand side by side."""

    def __init__(self, disk: Disk) -> None:
        self.disk = disk
        self.name = f"power-cut-{next(_names)}"
        super().__init__(self.name, "")

    def xOpen(  # type: ignore[override]  # noqa: N802 - SQLite's name; any such object will do
        self, name: str | apsw.URIFilename | None, flags: list[int]
    ) -> "File":
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        assert path is not None, "a temporary file, which this model does not have"
        self.disk.create(path)
        flags[1] = flags[0]
        return File(self.disk, path)

    def xDelete(self, name: str, syncdir: bool) -> None:  # noqa: N802, ARG002 - as SQLite calls it
        self.disk.delete(name)

    def xAccess(self, name: str, flags: int) -> bool:  # noqa: N802, ARG002 - as SQLite calls it
        return name in self.disk.files

    def xFullPathname(self, name: str) -> str:  # noqa: N802 - SQLite's name
        return name


class File:
    """One open file."""

    def __init__(self, disk: Disk, name: str) -> None:
        self._disk, self._name = disk, name

    def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802 - SQLite's name
        return bytes(self._disk.files[self._name][offset : offset + amount])

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - SQLite's name
        self._disk.write(self._name, offset, bytes(data))

    def xTruncate(self, size: int) -> None:  # noqa: N802 - SQLite's name
        self._disk.truncate(self._name, size)

    def xSync(self, flags: int) -> None:  # noqa: N802, ARG002 - as SQLite calls it
        self._disk.sync(self._name)

    def xFileSize(self) -> int:  # noqa: N802 - SQLite's name
        return len(self._disk.files[self._name])

    def xLock(self, level: int) -> None:  # noqa: N802 - SQLite's name
        """One process alone."""

    def xUnlock(self, level: int) -> None:  # noqa: N802 - SQLite's name
        """One process alone."""

    def xCheckReservedLock(self) -> bool:  # noqa: N802 - SQLite's name
        return False

    def xFileControl(self, op: int, pointer: int) -> bool:  # noqa: N802, ARG002 - as SQLite calls it
        return False

    def xSectorSize(self) -> int:  # noqa: N802 - SQLite's name
        return SECTOR

    def xDeviceCharacteristics(self) -> int:  # noqa: N802 - SQLite's name
        return 0  # it promises nothing

    def xClose(self) -> None:  # noqa: N802 - SQLite's name
        """Nothing is written by closing."""


def connect(vfs: Vfs, name: str = "outbox.db") -> apsw.Connection:
    """A connection to a file on that disk."""
    connection = apsw.Connection(name, vfs=vfs.name)
    # Shared memory is not for file systems written in Python; alone, the log's index needs none.
    connection.execute("PRAGMA locking_mode = EXCLUSIVE").fetchall()
    return connection
