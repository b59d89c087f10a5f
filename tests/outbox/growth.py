"""What years leave behind in an outbox: rows of readings that were received and purged."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from tests.outbox.house import House, cuff

CACHE_KIB = 400_000  # of the filling connection: a million rows go in by way of six indices

# Of each table: the columns in which one
# differs from the next, n counting from 1; the others are as in the only row that is there.
GROWN: Mapping[str, Mapping[str, str]] = {
    "sessions": {"id": "NULL", "uuid": "lower(hex(randomblob(16)))"},
    "clock_events": {"id": "NULL", "session_id": "session_id + n"},
    "readings": {
        "id": "NULL",
        "session_id": "session_id + n",
        "key": "randomblob(32)",
        "frame_key": "randomblob(32)",
        "natural_key": "NULL",
        "public_id": "lower(hex(randomblob(16)))",
        "reading": "NULL",
        "seq": "seq + n",
        "sha256": "lower(hex(randomblob(32)))",
        "issued_at": "issued_at + n",
        "received_at": "received_at - 2592000000000 + n",
    },
    "frames": {
        "id": "NULL",
        "session_id": "session_id + n",
        "octets": "NULL",
        "digest": "randomblob(32)",
        "reading_id": "reading_id + n",
        "wall": "wall + n",
    },
    "receipts": {"reading_id": "reading_id + n"},
}


async def one_received(state: Path, gateway: str) -> None:
    """An outbox with one reading, which is published and received."""
    house = House(state, gateway=gateway)
    device = await house.meter()
    await house.session(device, [cuff()])
    await house.settle()
    (message,) = await house.publish()
    await house.receive(message)
    house.close()


def grow(path: Path, count: int) -> None:
    """*count* readings more like the only one of the outbox, each of a session of its own."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA synchronous = OFF")
        database.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        database.execute("BEGIN")
        for table, differing in GROWN.items():
            names = [column[1] for column in database.execute(f"PRAGMA table_info({table})")]
            values = ", ".join(differing.get(name, name) for name in names)
            database.execute(
                "WITH RECURSIVE numbers (n) AS"  # noqa: S608  # of constants alone
                " (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)"
                f" INSERT INTO {table} SELECT {values}"
                f" FROM numbers, (SELECT * FROM {table} ORDER BY 1 DESC LIMIT 1)",
                (count,),
            )
        database.execute("UPDATE meta SET value = value + ? WHERE key = 'next_seq'", (count,))
        database.execute("COMMIT")
