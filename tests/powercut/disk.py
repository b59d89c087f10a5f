"""A disk that forgets what was not synced, and an operating system that does not tell.

Every operation is written down as it happens. What a power cut after any of them would have left
is worked out afterwards: whatever was not synced survives or not, each sector of 512 octets for
itself, and the last of them may be torn.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

SECTOR = 512
LOGS = ("-wal", "-journal")  # with a new one of these SQLite syncs the folder, too

Files = dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Operation:
    """One call to the operating system. `number`: of the file that bears `name` at this moment."""

    kind: Literal["create", "write", "truncate", "sync", "delete"]
    name: str
    number: int
    at: int = 0
    data: bytes = b""


@dataclass
class Disk:
    """The files as the running program sees them, and what it has done to them."""

    files: dict[str, bytearray] = field(default_factory=dict)
    log: list[Operation] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=dict)
    next_number: int = 0

    @classmethod
    def holding(cls, files: Mapping[str, bytes]) -> "Disk":
        disk = cls({name: bytearray(octets) for name, octets in files.items()})
        disk.numbers = {name: -1 - place for place, name in enumerate(files)}
        return disk

    def create(self, name: str) -> None:
        if name not in self.files:
            self.files[name] = bytearray()
            self.numbers[name] = self.next_number
            self.next_number += 1
            self._did("create", name)

    def write(self, name: str, at: int, data: bytes) -> None:
        self._did("write", name, at, data)
        write(self.files[name], at, data)

    def truncate(self, name: str, size: int) -> None:
        self._did("truncate", name, size)
        del self.files[name][size:]

    def sync(self, name: str) -> None:
        self._did("sync", name)

    def delete(self, name: str) -> None:
        self._did("delete", name)
        del self.files[name], self.numbers[name]

    def _did(
        self,
        kind: Literal["create", "write", "truncate", "sync", "delete"],
        name: str,
        at: int = 0,
        data: bytes = b"",
    ) -> None:
        self.log.append(Operation(kind, name, self.numbers[name], at, data))


class Platter:
    """What is safe on the disk, and what is not yet, after the operations that it was told."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        start = Disk.holding(files)
        self._contents = {start.numbers[name]: octets for name, octets in start.files.items()}
        self._names = dict(start.numbers)
        self._waiting: list[Operation] = []
        self._naming: list[Operation] = []

    def did(self, operation: Operation) -> None:
        if operation.kind in ("create", "delete"):
            self._naming.append(operation)
        elif operation.kind == "sync":
            self._sync(operation)
        else:
            self._waiting.append(operation)

    def _sync(self, operation: Operation) -> None:
        for each in self._waiting:
            if each.number == operation.number:
                _apply(self._contents, each)
        self._waiting = [each for each in self._waiting if each.number != operation.number]
        made = any(each.number == operation.number for each in self._naming)
        if made and operation.name.endswith(LOGS):
            _name(self._names, self._naming)
            self._naming.clear()

    @property
    def at_rest(self) -> bool:
        """Nothing waits: there is only one thing that a cut can leave."""
        return not self._waiting and not self._naming

    def cut(self, fate: random.Random | bool) -> Files:
        """What is found afterwards: of what waited all, nothing, or a part that chance chooses."""
        contents = {number: bytearray(octets) for number, octets in self._contents.items()}
        names = dict(self._names)
        if isinstance(fate, bool):
            _name(names, self._naming if fate else [])
            survivors = self._waiting if fate else []
        else:
            # A folder is kept by the file system's journal: its changes survive in their order.
            _name(names, self._naming[: fate.randint(0, len(self._naming))])
            survivors = [part for each in self._waiting for part in _parts(each, fate)]
        for each in survivors:
            _apply(contents, each)
        return {name: bytes(contents.get(number, b"")) for name, number in names.items()}


def _parts(operation: Operation, fate: random.Random) -> list[Operation]:
    """Those sectors of a write that got there; now and then one is torn in the middle."""
    if operation.kind == "truncate":
        return [operation] if fate.random() < 0.5 else []
    parts, at = [], 0
    while at < len(operation.data):
        # Sectors are those of the disk, not of the write.
        end = min(len(operation.data), at + SECTOR - (operation.at + at) % SECTOR)
        if fate.random() < 0.5:
            torn = fate.randint(at, end) if fate.random() < 0.1 else end
            data = operation.data[at:torn]
            parts.append(
                Operation("write", operation.name, operation.number, operation.at + at, data)
            )
        at = end
    return parts


def _name(names: dict[str, int], operations: list[Operation]) -> None:
    for each in operations:
        if each.kind == "create":
            names[each.name] = each.number
        else:
            names.pop(each.name, None)


def _apply(contents: dict[int, bytearray], operation: Operation) -> None:
    file = contents.setdefault(operation.number, bytearray())
    if operation.kind == "truncate":
        del file[operation.at :]
    else:
        write(file, operation.at, operation.data)


def write(file: bytearray, at: int, data: bytes) -> None:
    if len(file) < at:
        file.extend(bytes(at - len(file)))
    file[at : at + len(data)] = data
