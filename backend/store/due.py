"""Which reading a party is to be given next.

Of one gateway: in the order of its numbers, an epoch after the other; a number that is missing
holds back those behind it for a while. Several take turns, in the order of arrival. A reading that
has to be tried again holds back its own gateway alone.

Whoever cannot correct what he has is given the newest version of a reading in the place of those
before it.
"""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from backend.store.database import Database
from backend.store.moments import text
from backend.store.shapes import Settled, ToHandOn

# From stream to stream, and the first of each: so many steps as streams wait, however much waits in
# them. Each step is one look into an index, whatever a planner believes of the table.
_HEADS = """WITH RECURSIVE waiting(stream) AS (
    SELECT CAST(0 AS BIGINT)
    UNION ALL
    SELECT (SELECT min(t.stream) FROM onward_to t
        WHERE t.party = ? AND t.state = 'waiting' AND t.stream > waiting.stream)
    FROM waiting WHERE waiting.stream IS NOT NULL
)
SELECT s.gateway,
    (SELECT t.position FROM onward_to t WHERE t.party = ? AND t.state = 'waiting'
        AND t.stream = waiting.stream ORDER BY t.seq LIMIT 1),
    (SELECT t.due_at FROM onward_to t WHERE t.party = ? AND t.state = 'waiting'
        AND t.stream = waiting.stream ORDER BY t.seq LIMIT 1)
    FROM waiting JOIN stream s ON s.number = waiting.stream ORDER BY waiting.stream"""

# Whether it is still the first of its gateway and due, and no number before it is waited for. The
# inner SELECTs are looks into an index as well.
_HEAD = """SELECT r.id, r.organisation, r.version FROM onward_to t
    JOIN onward o ON o.reading = t.reading
    JOIN reading r ON r.number = t.reading
    WHERE t.party = ? AND t.position = ? AND t.state = 'waiting' AND t.due_at <= ?
        AND (SELECT min(e.seq) FROM onward_to e WHERE e.party = t.party AND e.state = 'waiting'
            AND e.stream = t.stream) = t.seq
        AND NOT EXISTS (SELECT 1 FROM stream s WHERE s.gateway = r.gateway AND s.number < t.stream
            AND (SELECT min(e.seq) FROM onward_to e WHERE e.party = t.party
                AND e.state = 'waiting' AND e.stream = s.number) IS NOT NULL)
        AND (o.queued_at <= ? OR NOT EXISTS (SELECT 1 FROM missing m
            WHERE m.stream = t.stream AND m.state = 'open' AND m.first < t.seq))"""

# What is settled without a row of the party's own was so before there was this party.
_LATER = """SELECT o.position, coalesce(t.state, o.state), t.due_at FROM reading r
    JOIN onward o ON o.reading = r.number
    LEFT JOIN onward_to t ON t.reading = r.number AND t.party = ?
    WHERE r.id = ? AND r.organisation = ? AND r.version > ?
    AND (t.state IS NOT NULL OR o.state <> 'waiting')
    ORDER BY r.version DESC"""


@dataclass(frozen=True, slots=True)
class _Later:
    """What is known of later versions: what became of one, or where the newest waits."""

    end: Settled | None = None
    position: int | None = None
    due: bool = False


@dataclass(slots=True)
class Due:
    """What is due to *party*, one after the other.

    *grace*: how long to wait for a missing number. *corrects*: the party lets a later version take
    the place of one that it has.

    The gateways that wait are looked through at once, and are then served in turn: with many, that
    look is what takes time.
    """

    party: str
    grace: timedelta
    corrects: bool = True
    _heads: deque[int] = field(default_factory=deque)  # a hint: each is looked at again

    def next(self, db: Database, now: datetime) -> ToHandOn | None:
        """None if nothing is due."""
        found = self._first(db, now)
        if found is None:
            self._heads.extend(_heads(db, self.party, text(now)))
            found = self._first(db, now)
        return found

    def _first(self, db: Database, now: datetime) -> ToHandOn | None:
        at = text(now)
        while self._heads:
            position = self._heads.popleft()
            place = (self.party, position, at, text(now - self.grace))
            for name, organisation, version in db.execute(_HEAD, *place):
                later = _later(db, self.party, name, organisation, version, at)
                if later.end is not None or later.position is None or self.corrects:
                    return _reading(db, self.party, position, later.end)
                if later.due:
                    return _reading(db, self.party, later.position, None)
        return None


def _heads(db: Database, party: str, now: str) -> list[int]:
    """The position of the first that waits of each gateway, if it is due; in order."""
    first: dict[str, tuple[int, str]] = {}
    for gateway, position, due_at in db.execute(_HEADS, party, party, party):
        first.setdefault(gateway, (position, due_at))
    return sorted(position for position, due_at in first.values() if due_at <= now)


def _later(
    db: Database, party: str, name: str, organisation: str, version: int, now: str
) -> _Later:
    rows = [
        (position, state, due_at)
        for position, state, due_at in db.execute(_LATER, party, name, organisation, version)
        if state != "nothing"
    ]
    states = [state for _, state, _ in rows]
    if "delivered" in states:
        return _Later("delivered")
    if states[:1] == ["waiting"]:
        position, _, due_at = rows[0]
        return _Later(None, position, due_at <= now)
    return _Later("undeliverable" if states else None)


def _reading(db: Database, party: str, position: int, later: Settled | None) -> ToHandOn:
    (row,) = db.execute(
        "SELECT r.id, r.version, r.sha256, r.organisation, r.gateway, r.epoch, r.body, t.attempts"
        " FROM onward_to t JOIN reading r ON r.number = t.reading"
        " WHERE t.party = ? AND t.position = ? AND t.state = 'waiting'",
        *(party, position),
    )
    name, version, sha256, organisation, gateway, epoch, body, attempts = row
    return ToHandOn(
        *(position, UUID(name), version, sha256, organisation, gateway, epoch, bytes(body)),
        *(attempts, later),
    )
