"""What was sent is written down in either database, and one of two receivers alone may send it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from backend import onward_parties
from backend.fut import ledger
from backend.fut.projection import Sought
from backend.onward import Undeliverable
from backend.onward_parties import Filter, Parties, Party
from backend.store import Database, ToHandOn, open_database
from tests.backend.postgres import server
from tests.fut.scene import to_hand_on

NOW = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
ID = UUID(int=7)
SOUGHT = (Sought("urn:uuid:1", "https://p/1", "s|c", NOW, "https://c/ServiceRequest/1"),)
PLACE = ("fut", ID, 1)


@pytest.fixture(params=["sqlite", "postgres"])
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "sqlite":
        opened = open_database(tmp_path / "store.db")
        yield opened
        opened.close()
        return
    with server() as running:
        opened = open_database(running.database())
        yield opened
        opened.close()


def test_a_submission_is_begun_once_and_ends_as_sent_or_not_at_all(db: Database) -> None:
    for _ in range(2):  # a second start finds the table
        ledger.prepare(db)
    assert ledger.begin(db, *PLACE, "https://c/EpisodeOfCare/1", SOUGHT, NOW)
    assert not ledger.begin(db, *PLACE, "https://c/EpisodeOfCare/1", SOUGHT, NOW)
    (row,) = ledger.rows(db, "fut", ID)
    assert (row.state, row.sought, row.at) == ("sending", SOUGHT, NOW)
    ledger.not_sent(db, *PLACE, SOUGHT)
    assert ledger.rows(db, "fut", ID) == []
    assert ledger.begin(db, *PLACE, "https://c/EpisodeOfCare/1", SOUGHT, NOW)
    ledger.sent(db, *PLACE, SOUGHT)
    ledger.not_sent(db, *PLACE, SOUGHT)  # what is sent stays so
    assert [row.state for row in ledger.rows(db, "fut", ID)] == ["sent"]
    assert ledger.rows(db, "another party", ID) == []


async def test_what_a_party_has_taken_is_known_to_the_next_receiver(db: Database) -> None:
    onward_parties.prepare(db)
    taken: list[str] = []

    async def disk(do: Any, /, *arguments: Any, **named: Any) -> Any:
        return do(db, *arguments, **named)

    class Taker:
        async def hand_on(self, reading: ToHandOn) -> None:
            taken.append(reading.gateway)

    class Refuser:
        async def hand_on(self, reading: ToHandOn) -> None:
            raise Undeliverable(f"not from {reading.gateway}")

    theirs = Filter({"organisation": frozenset({"org1"})})
    parties = Parties([Party("a", theirs, Taker()), Party("b", theirs, Refuser())], {}, disk)
    for _ in range(2):
        with pytest.raises(Undeliverable, match="b: not from gw-"):
            await parties.hand_on(to_hand_on("weight"))
    assert len(taken) == 1
