"""A file of the operator's that may change while we run."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

log = logging.getLogger("hjemgate.receiver")

T = TypeVar("T")

_Mark = tuple[int, int, int]  # moment, size, number of the file


class FileUnusable(Exception):
    """The file cannot be used; the text says what to do."""


@dataclass(slots=True)
class Watched(Generic[T]):
    """*read* may raise FileUnusable: then what was read before stays in force, and that is said."""

    path: Path
    read: Callable[[Path], T]
    value: T = field(init=False)
    _mark: _Mark | None = field(init=False)
    _trouble: str | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        """Raises FileUnusable: without a first one there is nothing to go by."""
        self._mark = _mark(self.path)
        self.value = self.read(self.path)

    async def look(self) -> str | None:
        """Read it anew if it has changed. What is wrong with it now, if anything is."""
        mark = _mark(self.path)
        if mark == self._mark:
            return self._trouble
        self._mark = mark
        try:
            self.value = await asyncio.to_thread(self.read, self.path)
        except FileUnusable as error:
            self._trouble = f"{error}; until it is repaired, what it said before holds"
            log.error("onward: %s", self._trouble)  # noqa: TRY400 -- the words are all there is
        else:
            self._trouble = None
            log.info("onward: %s was read anew", self.path)
        return self._trouble


def _mark(path: Path) -> _Mark | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino)
