"""What has come of the numbers that a gateway counts, and what is missing among them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from backend.store.database import Database, marks, rows_of
from backend.store.moments import text
from backend.store.shapes import Place

OPEN = "open"

Span = tuple[int, int]
Key = tuple[str, str]  # gateway, epoch


class Gap(NamedTuple):
    """A row of `missing`, but for its stream."""

    first: int
    last: int
    since: str
    state: str
    reason: str | None
    asked: int
    ask_at: str

    def without(self, span: Span, state: str | None, reason: str | None) -> Iterator["Gap"]:
        """What is left of it when *span* has come (*state* None), or never will."""
        first, last = span
        pieces = [
            self._replace(last=min(self.last, first - 1)),
            self._replace(first=max(self.first, last + 1)),
        ]
        if state is not None:
            among = max(first, self.first), min(last, self.last)
            pieces.append(self._replace(first=among[0], last=among[1], state=state, reason=reason))
        return (piece for piece in pieces if piece.first <= piece.last)


@dataclass(slots=True)
class Stream:
    """An epoch of a gateway. Everything up to `highest` has come, but for what is missing.

    `number` 0: a new one, which has not been written yet.
    """

    organisation: str
    number: int = 0
    highest: int = 0
    changed: bool = False
    gaps: dict[int, Gap] = field(default_factory=dict)  # by their first number
    gone: set[int] = field(default_factory=set)  # of those on disk
    new: set[int] = field(default_factory=set)

    def take_out(self, seq: int) -> None:
        """It has come."""
        for gap in [gap for gap in self.gaps.values() if gap.first <= seq <= gap.last]:
            del self.gaps[gap.first]
            self.gone.add(gap.first)
            for piece in gap.without((seq, seq), None, None):
                self._add(piece)

    def rise(self, highest: int, last_missing: int, now: str) -> None:
        if self.highest < last_missing:
            self._add(Gap(self.highest + 1, last_missing, now, OPEN, None, 0, now))
        self.highest = highest

    def _add(self, gap: Gap) -> None:
        self.gaps[gap.first] = gap
        self.new.add(gap.first)


class Streams:
    """Those that a batch of messages touches: read at once, counted here, and written at once.

    From its making to `write` inside one transaction.
    """

    def __init__(self, db: Database, places: Iterable[Place], now: datetime) -> None:
        self._db, self._now = db, text(now)
        places = list(places)
        self._streams: dict[Key, Stream] = {}
        self._newest: dict[str, str] = {}  # epoch of a gateway
        if places:
            self._read(sorted({place.gateway for place in places}))
            touched = {_key(place) for place in places} & self._streams.keys()
            seqs = [place.seq for place in places]
            self._read_gaps([self._streams[key] for key in touched], (min(seqs), max(seqs)))

    def _read(self, gateways: list[str]) -> None:
        for number, organisation, gateway, epoch, highest in self._db.execute(
            "SELECT number, organisation, gateway, epoch, highest FROM stream"
            f" WHERE gateway IN {marks(gateways)} ORDER BY number",
            *gateways,
        ):
            self._streams[gateway, epoch] = Stream(organisation, number, highest)
            self._newest[gateway] = epoch

    def _read_gaps(self, streams: list[Stream], span: Span) -> None:
        """Gaps lie below `highest`: whoever only counts on has none to look at."""
        by_number = {each.number: each for each in streams if each.highest >= span[0]}
        if not by_number:
            return
        for number, *gap in self._db.execute(
            "SELECT stream, first, last, since, state, reason, asked, ask_at FROM missing"
            f" WHERE stream IN {marks(by_number)} AND first <= ? AND last >= ?",
            *(*by_number, span[1], span[0]),
        ):
            by_number[number].gaps[gap[0]] = Gap(*gap)

    def _of(self, place: Place) -> Stream:
        key = _key(place)
        if key not in self._streams:
            self._streams[key] = Stream(place.organisation)
            self._newest[place.gateway] = place.epoch
        return self._streams[key]

    def seen(self, place: Place) -> bool:
        """The number of *place* has come. Whether the stream had been as far before."""
        stream = self._of(place)
        stream.organisation, stream.changed = place.organisation, True
        if place.seq <= stream.highest:
            stream.take_out(place.seq)
            return True
        stream.rise(place.seq, place.seq - 1, self._now)
        return False

    def sent_up_to(self, place: Place) -> None:
        """The gateway says that everything up to `place.seq` has been confirmed to it."""
        stream = self._of(place)
        if place.seq > stream.highest:
            stream.rise(place.seq, place.seq, self._now)
            stream.changed = True

    def has_ended(self, place: Place) -> bool:
        """Whether its gateway has begun another epoch since."""
        return self._newest[place.gateway] != place.epoch

    def number(self, place: Place) -> int:
        """Of its stream, once it has been written."""
        return self._streams[_key(place)].number

    def write(self) -> None:
        changed = {key: each for key, each in self._streams.items() if each.changed}
        if not changed:
            return
        rows = [
            (each.organisation, *key, each.highest, self._now, self._now)
            for key, each in changed.items()
        ]
        for number, *key in self._db.execute(
            "INSERT INTO stream (organisation, gateway, epoch, highest, first_at, last_at)"
            f" VALUES {rows_of(rows)} ON CONFLICT (gateway, epoch) DO UPDATE SET"
            " highest = excluded.highest, organisation = excluded.organisation,"
            " last_at = excluded.last_at RETURNING number, gateway, epoch",
            *(value for row in rows for value in row),
        ):
            changed[key[0], key[1]].number = number
        for each in changed.values():
            self._write_gaps(each)

    def _write_gaps(self, stream: Stream) -> None:
        number = stream.number
        if stream.gone:
            self._db.execute(
                f"DELETE FROM missing WHERE stream = ? AND first IN {marks(stream.gone)}",
                *(number, *stream.gone),
            )
        rows = [(number, *gap) for first, gap in stream.gaps.items() if first in stream.new]
        if rows:
            self._db.execute(
                f"INSERT INTO missing VALUES {rows_of(rows)}",
                *(value for row in rows for value in row),
            )


def _key(place: Place) -> Key:
    return place.gateway, place.epoch


def take_out(db: Database, stream: int, span: Span, state: str | None, reason: str | None) -> None:
    """*span* has come (*state* None), or never will: then *state* and *reason* say why.

    Inside a transaction.
    """
    first, last = span
    for row in db.execute(
        "SELECT first, last, since, state, reason, asked, ask_at FROM missing"
        " WHERE stream = ? AND first <= ? AND last >= ?",
        *(stream, last, first),
    ):
        gap = Gap(*row)
        db.execute("DELETE FROM missing WHERE stream = ? AND first = ?", stream, gap.first)
        for piece in gap.without(span, state, reason):
            db.execute("INSERT INTO missing VALUES (?, ?, ?, ?, ?, ?, ?, ?)", stream, *piece)
