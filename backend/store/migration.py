"""From a SQLite store of 0.1, which knew neither copies nor streams, to that of today."""

from uuid import UUID

from backend.bundle import Contents, examine
from backend.store import schema
from backend.store.database import Database
from backend.store.moments import moment, text
from backend.store.shapes import Place
from backend.store.streams import Streams
from gateway.contract import ContractError

UNKNOWN = ""  # 0.1 did not keep the organisation; the next message of the gateway says it


def migrate(db: Database) -> None:
    """Inside a transaction. Nothing of the old store is handed on: it was exported already."""
    columns = [name for _, name, *_ in db.execute("PRAGMA table_info(reading)")]
    if not columns or "number" in columns:
        return
    db.execute("ALTER TABLE reading RENAME TO reading_0_1")
    db.execute("ALTER TABLE refusal RENAME TO refusal_0_1")
    for statement in schema.SQLITE:
        db.execute(statement)
    _readings(db)
    db.execute(
        "INSERT INTO dead_letter (topic, sha256, reason, properties, first_at, last_at, deliveries)"
        " SELECT topic, sha256, reason, '[]', first_at, first_at, deliveries FROM refusal_0_1"
    )
    db.execute("DROP TABLE reading_0_1")
    db.execute("DROP TABLE refusal_0_1")


def _readings(db: Database) -> None:
    keys = db.execute("SELECT id, version FROM reading_0_1 ORDER BY rowid")
    for key in keys:
        ((sha256, body, gateway, epoch, seq, late, first_at, deliveries),) = db.execute(
            "SELECT sha256, body, gateway, epoch, seq, late, first_at, deliveries"
            " FROM reading_0_1 WHERE id = ? AND version = ?",
            *key,
        )
        contents, at = _contents(body, UUID(key[0]), key[1], gateway), moment(first_at)
        ((number,),) = db.execute(
            "INSERT INTO reading (id, version, sha256, body, contents, organisation, gateway,"
            " epoch, seq, late, first_at, deliveries) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " RETURNING number",
            *(*key, sha256, body, contents.text, UNKNOWN, gateway, epoch, seq, late, text(at)),
            deliveries,
        )
        for value in contents.phd:
            db.execute("INSERT INTO phd_identifier VALUES (?, ?)", value, number)
        place = Place(UNKNOWN, gateway, epoch, seq)
        streams = Streams(db, [place], at)
        streams.seen(place)
        streams.write()


def _contents(body: bytes, reading: UUID, version: int, gateway: str) -> Contents:
    """0.1 looked less closely: what does not pass today has contents like nothing else."""
    try:
        return examine(body, reading, version, gateway)
    except ContractError:
        return Contents("")
