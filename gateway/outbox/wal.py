"""What SQLite's write-ahead log adds to its file: sqlite.org/fileformat2.html, section 4."""

import struct
from pathlib import Path

HEADER, FRAME_HEADER = struct.Struct(">8I"), struct.Struct(">6I")
# The magic number says in which byte order the checksums read the octets.
ORDER = {0x377F0682: "<", 0x377F0683: ">"}

Sums = tuple[int, int]


def newer_pages(wal: Path, size: int) -> dict[int, bytes]:
    """Pages of that size as the last transaction left them that is whole in the log, by number."""
    try:
        octets = wal.read_bytes()
    except OSError:  # there is none, or the disk does not give it back
        return {}
    if len(octets) < HEADER.size:
        return {}
    magic, _, page_size, _, *salts, first, second = HEADER.unpack_from(octets)
    order = ORDER.get(magic)
    if order is None or page_size != size:
        return {}
    sums = _sums(octets[: HEADER.size - 8], order, (0, 0))
    if sums != (first, second):
        return {}
    pages: dict[int, bytes] = {}
    waiting: dict[int, bytes] = {}
    for at in range(
        HEADER.size, len(octets) - FRAME_HEADER.size - size + 1, FRAME_HEADER.size + size
    ):
        number, commit, *rest = FRAME_HEADER.unpack_from(octets, at)
        page = octets[at + FRAME_HEADER.size : at + FRAME_HEADER.size + size]
        sums = _sums(octets[at : at + 8] + page, order, sums)
        if rest != [*salts, *sums]:
            break
        waiting[number] = page
        if commit:
            pages |= waiting
            waiting.clear()
    return pages


def _sums(octets: bytes, order: str, before: Sums) -> Sums:
    first, second = before
    words = struct.unpack(f"{order}{len(octets) // 4}I", octets)
    for one, two in zip(words[::2], words[1::2], strict=True):
        first = (first + one + second) & 0xFFFFFFFF
        second = (second + two + first) & 0xFFFFFFFF
    return first, second
