"""What a damaged SQLite file still holds, page by page, trusting nothing that points to a page.

The format is at sqlite.org/fileformat2.html. A deleted row is not met again: the outbox is kept
with `secure_delete`, which leaves zeros.
"""

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.outbox.wal import newer_pages

Values = tuple[object, ...]

TABLE_LEAF, INDEX_LEAF = 0x0D, 0x0A
FILE_HEADER = 100  # octets before the header of page 1
LEAF_HEADER = 8
POINTER = 4  # a page's number, at the head of each overflow page
INTEGER_OCTETS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}  # by serial type

# What octets come to that were something else than they seemed.
NONSENSE = (IndexError, ValueError, struct.error)


class Pages:
    """The pages of a file, as its write-ahead log left them."""

    def __init__(self, handle: int, size: int, newer: dict[int, bytes]) -> None:
        self._handle, self._size, self._newer = handle, size, newer
        self.count = max([-(-os.fstat(handle).st_size // size), *newer])
        self.unreadable = 0  # pages that the disk did not give back

    def __getitem__(self, number: int) -> bytes:
        """Raises IndexError for a page that is not there, or that the disk does not give back."""
        if number in self._newer:
            return self._newer[number]
        if not 1 <= number <= self.count:
            raise IndexError(number)
        try:
            page = os.pread(self._handle, self._size, (number - 1) * self._size)
        except OSError as error:
            raise IndexError(number) from error
        return page.ljust(self._size, b"\0")

    def rows(self) -> Iterator[tuple[int, Values]]:
        """Row id and values of every row of every table, in no order."""
        for page, start in self._leaves(TABLE_LEAF):
            for at in _cells(page, start):
                try:
                    length, at = _varint(page, at)
                    row, at = _varint(page, at)
                    values = _record(self._payload(page, at, length, self._size - 35))
                except NONSENSE:
                    continue
                yield row, values

    def entries(self) -> Iterator[Values]:
        """What stands in indices, and in tables that are WITHOUT ROWID."""
        most = (self._size - 12) * 64 // 255 - 23
        for page, start in self._leaves(INDEX_LEAF):
            for at in _cells(page, start):
                try:
                    length, at = _varint(page, at)
                    values = _record(self._payload(page, at, length, most))
                except NONSENSE:
                    continue
                yield values

    def _leaves(self, kind: int) -> Iterator[tuple[bytes, int]]:
        """Pages of that kind, and where in them their header begins."""
        for number in range(1, self.count + 1):
            try:
                page = self[number]
            except IndexError:
                self.unreadable += 1
                continue
            start = FILE_HEADER if number == 1 else 0
            if page[start] == kind:
                yield page, start

    def _payload(self, page: bytes, at: int, length: int, most: int) -> bytes:
        """A cell's content; *most* of it stands in the page itself, the rest in a chain."""
        if length <= most:
            return _exactly(page[at : at + length], length)
        if length > self.count * self._size:
            raise ValueError(length)
        least = (self._size - 12) * 32 // 255 - 23
        local = least + (length - least) % (self._size - POINTER)
        local = local if local <= most else least
        parts, missing = [page[at : at + local]], length - local
        following = _exactly(page[at + local : at + local + POINTER], POINTER)
        while missing > 0:
            page = self[int.from_bytes(following, "big")]
            part = page[POINTER : POINTER + missing]
            parts.append(part)
            missing -= len(part)
            following = page[:POINTER]
        return _exactly(b"".join(parts), length)


@contextmanager
def pages(path: Path, size: int) -> Iterator[Pages]:
    """The file in *path*, whose pages ought to have that size."""
    newer = newer_pages(path.with_name(path.name + "-wal"), size)
    handle = os.open(path, os.O_RDONLY)
    try:
        yield Pages(handle, size, newer)
    finally:
        os.close(handle)


def _cells(page: bytes, start: int) -> Iterator[int]:
    """Where the cells of a leaf begin."""
    count = int.from_bytes(page[start + 3 : start + 5], "big")
    first = start + LEAF_HEADER
    for at in range(first, min(first + 2 * count, len(page) - 1), 2):
        yield int.from_bytes(page[at : at + 2], "big")


def _varint(octets: bytes, at: int) -> tuple[int, int]:
    """A number of one to nine octets, and where it ends."""
    value = 0
    for count in range(8):
        octet = octets[at + count]
        value = value << 7 | octet & 0x7F
        if octet < 0x80:
            return value, at + count + 1
    value = value << 8 | octets[at + 8]
    return value - (value >> 63 << 64), at + 9


def _record(payload: bytes) -> Values:
    end, at = _varint(payload, 0)
    body, values = end, []
    while at < end:
        kind, at = _varint(payload, at)
        value, body = _value(payload, kind, body)
        values.append(value)
    if body != len(payload):
        raise ValueError(body)
    return tuple(values)


def _value(payload: bytes, kind: int, at: int) -> tuple[object, int]:
    """One value of that serial type, and where it ends."""
    if kind >= 12:
        length = (kind - 12) // 2
        octets = _exactly(payload[at : at + length], length)
        return octets.decode() if kind % 2 else octets, at + length
    if kind in INTEGER_OCTETS:
        length = INTEGER_OCTETS[kind]
        octets = _exactly(payload[at : at + length], length)
        return int.from_bytes(octets, "big", signed=True), at + length
    if kind == 0:
        return None, at
    if kind in (8, 9):
        return kind - 8, at
    if kind == 7:
        return struct.unpack_from(">d", payload, at)[0], at + 8
    raise ValueError(kind)


def _exactly(octets: bytes, length: int) -> bytes:
    if len(octets) != length:
        raise ValueError(length)
    return octets
