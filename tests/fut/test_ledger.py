"""What was sent is written down in either database, and one of two receivers alone may send it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from backend.fut import ledger
from backend.fut.projection import Sought
from backend.onward import Party, Undeliverable
from backend.store import Database, ToHandOn, onward, open_database
from tests.backend.postgres import server
from tests.fut.queue import handed_on
from tests.fut.scene import Disk, to_hand_on

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
    taken: list[str] = []

    class Taker:
        async def hand_on(self, reading: ToHandOn) -> None:
            taken.append(reading.gateway)

    class Refuser:
        async def hand_on(self, reading: ToHandOn) -> None:
            raise Undeliverable(f"not from {reading.gateway}")

    disk = Disk(db)
    for _ in range(2):
        ((status, reason),) = await handed_on(
            disk, [Party("a", Taker()), Party("b", Refuser())], *_once(disk)
        )
        assert status == "undeliverable"
        assert str(reason).startswith("b: not from gw-")
        onward.again(db, NOW)
    assert len(taken) == 1


def _once(disk: Disk) -> list[ToHandOn]:
    held = disk.database.execute("SELECT 1 FROM reading")
    return [] if held else [to_hand_on("weight")]
