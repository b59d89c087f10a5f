"""How far each issuer of commands has counted: a command is carried out once."""

import json
import os
from pathlib import Path


class Numbers:
    """The highest number of each issuer, in a file of its own: it outlives the outbox."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def highest(self, issuer: str) -> int:
        return self._read().get(issuer, 0)

    def reach(self, issuer: str, number: int) -> None:
        """When this returns it is on disk, whole."""
        numbers = self._read() | {issuer: number}
        fresh = self._path.with_name(self._path.name + ".new")
        with fresh.open("w", encoding="utf-8") as file:
            json.dump(numbers, file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _read(self) -> dict[str, int]:
        try:
            found = json.loads(self._path.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):  # damaged: the outbox has its own list
            return {}
        return {str(issuer): number for issuer, number in found.items() if isinstance(number, int)}
