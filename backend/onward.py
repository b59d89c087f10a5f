"""Handing on: in order, at a set pace, to each party that stands behind the receiver."""

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import NoReturn, Protocol

from backend import faults
from backend.chores import Disk
from backend.store import Database, StoreError, ToHandOn, parties
from backend.store.due import Due
from backend.store.onward import LATER_REFUSED, LATER_VERSION

log = logging.getLogger("hjemgate.receiver")

FIRST_S, CAP_S = 2.0, 900.0  # between two tries of one reading
FAULTS = 8  # of ours with one reading, or ends of the process at it: some five minutes


class TryAgain(Exception):
    """It could not be handed on now; the text says why, and quotes nothing of the reading.

    *wait_s*: not before so many seconds, where somebody asked for that.
    """

    def __init__(self, words: str, wait_s: float = 0.0) -> None:
        super().__init__(words)
        self.wait_s = wait_s


class Undeliverable(Exception):
    """It will never be taken as it is; the text says why, and quotes nothing of the reading."""


class Target(Protocol):
    """Whoever takes readings. What it is given may have been given to it before."""

    async def hand_on(self, reading: ToHandOn) -> str | None:
        """Return when it has it; or, in words, why there was nothing to be done.

        Raises TryAgain and Undeliverable.
        """


class File(Protocol):
    """One that may change while we run."""

    async def look(self) -> str | None:
        """Read it anew if it has changed. What is wrong with it now, if anything is."""


def whole(reading: ToHandOn) -> bytes | None:
    return reading.body


@dataclass(frozen=True, slots=True)
class Party:
    """*name*: of our own, in reasons and in the store; nobody else's secret.

    *part*: what of a reading is theirs; None if nothing is. *corrects*: a later version takes the
    place of one that they have; otherwise they are given the newest of those that wait.
    """

    name: str
    target: Target
    part: Callable[[ToHandOn], bytes | None] = whole
    files: Sequence[File] = ()
    corrects: bool = True


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast, and how patient; for each party by itself."""

    per_second: float = 10.0
    grace: timedelta = timedelta(seconds=60)  # for a number that is missing
    look_s: float = 1.0  # at an empty queue


async def hand_on(disk: Disk, to: Sequence[Party], pace: Pace) -> NoReturn:
    """For ever, to each party by itself: one that is away holds up nobody else."""
    queue = _Queue([party.name for party in to])
    async with asyncio.TaskGroup() as group:
        for party in to:
            group.create_task(_Handing(disk, queue, party, pace).run(), name=f"to {party.name}")
    raise AssertionError("all go on for ever")


@dataclass(slots=True)
class _Queue:
    """What is common to all: who they are, and how far the queue has been shared out."""

    names: Sequence[str]
    _shared: int = 0

    def next(self, db: Database, due: Due, now: datetime) -> ToHandOn | None:
        if not db.leads():
            self._shared = 0
            return None
        self._shared = parties.share(db, self.names, self._shared, now)
        return due.next(db, now)


@dataclass(slots=True)
class _Handing:
    disk: Disk
    queue: _Queue
    party: Party
    pace: Pace
    _trouble: str | None = field(default="")  # what the store says of the files; "": not known
    _excused: int | None = None  # the position at which the store failed, and nothing else

    async def run(self) -> NoReturn:
        loop = asyncio.get_running_loop()
        due = Due(self.party.name, self.pace.grace, self.party.corrects)
        while True:
            begun = loop.time()
            wait_s = self.pace.look_s
            try:
                await self._look()
                reading = await self.disk(self.queue.next, due, _now())
                if reading is not None:
                    called = await self._hand_on(reading)
                    wait_s = begun + 1 / self.pace.per_second - loop.time() if called else 0.0
            except StoreError as error:
                log.warning("onward, to %s: %s", self.party.name, error)
            await asyncio.sleep(max(0.0, wait_s))

    async def _look(self) -> None:
        """At the files: what is wrong with one is told in the log and by `status`."""
        found = [words for file in self.party.files if (words := await _looked(file))]
        trouble = "; ".join(found) or None
        if trouble != self._trouble:
            await self.disk(parties.trouble, self.party.name, trouble)
            self._trouble = trouble

    async def _hand_on(self, reading: ToHandOn) -> bool:
        """Whether the party was called."""
        if reading.by_then is not None:
            words = LATER_VERSION if reading.by_then == "delivered" else LATER_REFUSED
            await self._settle(reading, reading.by_then, words)
            return False
        begun = await self._begin(reading)
        if begun >= FAULTS:
            words = f"the receiver failed at it {begun} times: report that"
            await self._settle(reading, "undeliverable", words)
            return False
        try:
            body = self.party.part(reading)
            if body is None:
                await self._settle(reading, "nothing", None)
                return False
            said = await self.party.target.hand_on(replace(reading, body=body))
        except StoreError:
            self._excused = reading.position
            raise
        except TryAgain as error:
            await self._postpone(reading, error)
        except Undeliverable as error:
            self._warn(reading, f"undeliverable: {error}")
            await self._settle(reading, "undeliverable", str(error))
        except Exception as error:  # noqa: BLE001 -- one reading must not stop all the others
            words = f"{faults.words(error)}: report it"
            log.error("onward, to %s: %s", self.party.name, words)  # noqa: TRY400 -- see faults
            await self._postpone(reading, TryAgain(words), meant=False)
        else:
            await self._settle(reading, "delivered", said)
        return True

    async def _begin(self, reading: ToHandOn) -> int:
        anew, self._excused = reading.position == self._excused, None
        return await self.disk(parties.begin, self.party.name, reading.position, anew=anew)

    async def _postpone(self, reading: ToHandOn, error: TryAgain, *, meant: bool = True) -> None:
        own_s = min(CAP_S, FIRST_S * 2 ** min(reading.attempts, 20))
        wait_s = max(random.uniform(0.5, 1.0) * own_s, error.wait_s)  # noqa: S311
        self._warn(reading, f"{error}; again in {wait_s:.0f} s")
        then = _now() + timedelta(seconds=wait_s)
        at = (self.party.name, reading.position)
        await self.disk(parties.postpone, *at, str(error), then, meant=meant)

    async def _settle(self, reading: ToHandOn, end: parties.End, words: str | None) -> None:
        at = (self.queue.names, self.party.name, reading.position)
        await self.disk(parties.settle, *at, end, words, _now())

    def _warn(self, reading: ToHandOn, words: str) -> None:
        log.warning("onward, from %s to %s: %s", reading.gateway, self.party.name, words)


async def _looked(file: File) -> str | None:
    try:
        return await file.look()
    except Exception as error:  # noqa: BLE001 -- as with a reading
        return f"a file could not be looked at: {faults.words(error)}"


def _now() -> datetime:
    return datetime.now(UTC)
