"""Room on the disk that is kept for the day when others have filled it."""

import os
import shutil
from pathlib import Path

# More than the write-ahead log may take (1 MiB) and what it makes the file grow by.
RESERVE_OCTETS = 4 << 20


class Reserve:
    """A file of zeros; giving it up makes room."""

    def __init__(self, path: Path, octets: int = RESERVE_OCTETS) -> None:
        self._path, self._octets = path, octets

    @property
    def held(self) -> bool:
        return self._path.exists()

    def take(self) -> bool:
        """Set room aside if there is plenty: twice as much, so that it is not taken and given up
        in turns. Returns whether it is held.
        """
        if self.held:
            return True
        if shutil.disk_usage(self._path.parent).free < 2 * self._octets:
            return False
        part = self._path.with_suffix(".part")
        try:
            with part.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, self._octets)
            part.replace(self._path)
        except OSError:  # somebody was quicker
            part.unlink(missing_ok=True)
        return self.held

    def give_up(self) -> bool:
        """Returns whether there was any."""
        try:
            self._path.unlink()
        except FileNotFoundError:
            return False
        return True
