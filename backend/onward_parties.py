"""Several parties behind one receiver: each gets what is its own, and nothing else.

A reading is theirs by the organisation in its topic, or by what the directory says of that; and by
its kinds of measurement. What each party has taken is written down, so that a party that is away
does not make the others get a reading twice. It holds back later readings of the same gateway.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

from backend.chores import Disk
from backend.onward import Target, TryAgain, Undeliverable
from backend.onward_directory import Directory
from backend.onward_kinds import only
from backend.store import Database, ToHandOn
from backend.store.moments import text

ORGANISATION = "organisation"
MAX_REASON = 500  # characters that a receipt has room for

TABLE = """CREATE TABLE IF NOT EXISTS onward_party (
    party TEXT NOT NULL,
    reading TEXT NOT NULL,
    version BIGINT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT,
    at TEXT NOT NULL,
    PRIMARY KEY (party, reading, version)
)"""

Settled = Literal["delivered", "undeliverable"]


@dataclass(frozen=True, slots=True)
class Filter:
    """*where*: by `organisation`, or a column of the directory, one of these values; all must fit.

    *kinds*: of measurement; all if empty. Without *where* nothing is theirs.
    """

    where: Mapping[str, frozenset[str]]
    kinds: frozenset[str] = frozenset()

    def part(self, reading: ToHandOn, directory: Directory) -> bytes | None:
        """What of the reading is theirs; None if nothing is."""
        known = {**directory.get(reading.organisation, {}), ORGANISATION: reading.organisation}
        if not self.where or any(known.get(c) not in values for c, values in self.where.items()):
            return None
        return only(reading.body, self.kinds) if self.kinds else reading.body


@dataclass(frozen=True, slots=True)
class Party:
    """*name*: of our own, in reasons and in the ledger; nobody else's secret."""

    name: str
    filter: Filter
    target: Target


@dataclass(frozen=True, slots=True)
class Parties:
    """A target that is several. What nobody is there for is undeliverable, and said so."""

    parties: Sequence[Party]
    directory: Directory
    disk: Disk

    async def hand_on(self, reading: ToHandOn) -> None:
        """Return when each has what is its own. Raises TryAgain and Undeliverable."""
        theirs = [(p, body) for p in self.parties if (body := self._part(p, reading)) is not None]
        if not theirs:
            raise Undeliverable(f"no party is set up for it (organisation {reading.organisation})")
        settled = await self.disk(_settled, reading.id, reading.version)
        if all(party.name in settled for party, _ in theirs):
            # It came to its end before, and somebody wants it tried again.
            settled = {name: it for name, it in settled.items() if it[0] == "delivered"}
        outcome = _Outcome()
        for party, body in theirs:
            if party.name in settled:
                outcome.add(party.name, *settled[party.name])
            else:
                await self._give(party, replace(reading, body=body), outcome)
        outcome.tell()

    def _part(self, party: Party, reading: ToHandOn) -> bytes | None:
        return party.filter.part(reading, self.directory)

    async def _give(self, party: Party, reading: ToHandOn, outcome: "_Outcome") -> None:
        state: Settled = "delivered"
        reason = None
        try:
            await party.target.hand_on(reading)
        except TryAgain as error:
            outcome.again.append(f"{party.name}: {error}")
            return
        except Undeliverable as error:
            state, reason = "undeliverable", str(error)
        outcome.add(party.name, state, reason)
        await self.disk(_settle, party.name, reading.id, reading.version, state, reason)


@dataclass(slots=True)
class _Outcome:
    again: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def add(self, party: str, state: Settled, reason: str | None) -> None:
        if state == "undeliverable":
            self.refused.append(f"{party}: {reason}")

    def tell(self) -> None:
        """All must have taken it; one that may yet do so is waited for."""
        if self.again:
            raise TryAgain("; ".join(self.again))
        if self.refused:
            raise Undeliverable("; ".join(self.refused)[:MAX_REASON])


def prepare(db: Database) -> None:
    with db.writing():
        db.execute(TABLE)


def _settled(db: Database, reading: UUID, version: int) -> dict[str, tuple[Settled, str | None]]:
    rows = db.execute(
        "SELECT party, state, reason FROM onward_party WHERE reading = ? AND version = ?",
        *(str(reading), version),
    )
    return {party: (state, reason) for party, state, reason in rows}


def _settle(
    db: Database, party: str, reading: UUID, version: int, state: Settled, reason: str | None
) -> None:
    with db.writing():
        db.execute(
            "INSERT INTO onward_party VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (party, reading, version) DO UPDATE"
            " SET state = excluded.state, reason = excluded.reason, at = excluded.at",
            *(party, str(reading), version, state, reason, text(datetime.now(UTC))),
        )
