"""Salvaged rows made whole: what is missing is rebuilt from the frames, or waits for a human.

Every function works inside one transaction, with foreign keys not yet enforced.
"""

import uuid
from collections.abc import Collection
from hashlib import sha256
from zlib import decompress

from gateway.outbox.database import Database
from gateway.outbox.vault import KeyRefused

LOST = "lost when the outbox was damaged"
UNFINISHED = "state IN ('pending', 'published', 'held', 'parked')"


def repair(db: Database, broken: Collection[int]) -> None:
    """*broken*: readings whose text does not open."""
    _bodies(db)
    _broken(db, broken)
    _render_again(db)
    _frames_of_lost_readings(db)
    _lost_meters(db)
    _lost_sessions(db)
    _lost_segments(db)
    _dangling(db)
    _without_person(db)
    _renumber(db)


def _bodies(db: Database) -> None:
    """A Bundle that is not the one that was rendered goes."""
    rows = db.execute(
        "SELECT b.reading_id, r.sha256 FROM bodies b LEFT JOIN readings r ON r.id = b.reading_id"
    ).fetchall()
    for row, digest in rows:
        sealed = db.one("SELECT body FROM bodies WHERE reading_id = ?", row)
        try:
            body = decompress(db.open("bodies", row, "body", sealed))
        except KeyRefused:
            body = b""
        if sha256(body).hexdigest() != digest:
            db.execute("DELETE FROM bodies WHERE reading_id = ?", row)


def _broken(db: Database, broken: Collection[int]) -> None:
    """Without its text a reading that was received, or that is rendered, is as good as purged;
    any other is made anew from its frames.
    """
    for row in broken:
        db.execute("UPDATE readings SET reading = NULL, natural_key = NULL WHERE id = ?", row)
    db.execute(
        f"DELETE FROM readings WHERE reading IS NULL AND {UNFINISHED}"
        " AND id NOT IN (SELECT reading_id FROM bodies)"
    )


def _render_again(db: Database) -> None:
    """A Bundle that is lost is rendered again; if it had been sent, as the next version: its
    octets might be others.
    """
    db.execute(
        "UPDATE readings SET version = version + (publishes > 0), seq = NULL, sha256 = NULL,"
        " publishes = 0, attempts = 0, due_at = NULL, puback = NULL,"
        " state = CASE state WHEN 'published' THEN 'pending' ELSE state END"
        f" WHERE {UNFINISHED} AND seq IS NOT NULL"
        " AND id NOT IN (SELECT reading_id FROM bodies)"
    )


def _frames_of_lost_readings(db: Database) -> None:
    """Their octets are read as if they had just come."""
    db.execute(
        "UPDATE frames SET state = 'captured', reason = NULL, attempts = 0, reading_id = NULL"
        " WHERE octets IS NOT NULL AND reading_id NOT IN (SELECT id FROM readings)"
    )
    db.execute(
        "UPDATE frames SET reading_id = NULL WHERE reading_id NOT IN (SELECT id FROM readings)"
    )


def _lost_meters(db: Database) -> None:
    """What came from a meter that is lost is kept, for a human to look at."""
    rows = db.execute(
        "SELECT device_id FROM sessions UNION SELECT device_id FROM frames"
        " UNION SELECT device_id FROM readings UNION SELECT device_id FROM bindings"
        " EXCEPT SELECT id FROM devices"
    ).fetchall()
    for (device,) in rows:
        db.execute(
            "INSERT INTO devices (id, address, driver, added_at) VALUES (?, ?, ?, 0)",
            device,
            f"lost {device}",
            LOST,
        )
        for table, undone in (
            ("frames", "state = 'captured'"),
            ("readings", "state = 'pending' AND seq IS NULL"),
        ):
            db.execute(
                f"UPDATE {table} SET state = 'parked', reason = ? WHERE device_id = ? AND {undone}",
                f"its meter was {LOST}",
                device,
            )


def _lost_sessions(db: Database) -> None:
    rows = db.execute(
        "SELECT session_id, device_id, min(at) FROM"
        " (SELECT session_id, device_id, wall AS at FROM frames"
        "  UNION ALL SELECT session_id, device_id, issued_at FROM readings)"
        " WHERE session_id NOT IN (SELECT id FROM sessions) GROUP BY session_id"
    ).fetchall()
    for session, device, at in rows:
        db.execute(
            "INSERT INTO sessions (id, uuid, device_id, started_at, ended_at, outcome)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            session,
            str(uuid.uuid4()),
            device,
            at,
            at,
            LOST,
        )


def _lost_segments(db: Database) -> None:
    """A meter that lost one is measured anew from all that was ever read of its clock: an old
    reading of a clock, taken for news beside a segment that is left, would date by the wrong one.
    """
    db.execute(
        "DELETE FROM segments WHERE device_id IN (SELECT s.device_id FROM clock_events e"
        " JOIN sessions s ON s.id = e.session_id WHERE e.segment_id NOT IN"
        " (SELECT id FROM segments))"
    )


def _dangling(db: Database) -> None:
    for table, column, parent in (
        ("readings", "segment_id", "segments"),
        ("readings", "binding_id", "bindings"),
        ("clock_events", "segment_id", "segments"),
    ):
        db.execute(
            f"UPDATE {table} SET {column} = NULL WHERE {column} NOT IN (SELECT id FROM {parent})"
        )
    for table, column, parent in (
        ("bindings", "only", "readings"),
        ("segments", "device_id", "devices"),
        ("clock_events", "session_id", "sessions"),
        ("receipts", "reading_id", "readings"),
        ("bodies", "reading_id", "readings"),
    ):
        db.execute(f"DELETE FROM {table} WHERE {column} NOT IN (SELECT id FROM {parent})")


def _without_person(db: Database) -> None:
    db.execute(
        "UPDATE readings SET state = 'held', reason = ? WHERE state = 'pending' AND seq IS NULL"
        " AND (binding_id IS NULL OR public_id IS NULL)",
        f"its person was {LOST}",
    )


def _renumber(db: Database) -> None:
    """The new epoch counts from one: what is still to be confirmed, in the order it had.

    Devices are said anew, all of them.
    """
    db.execute("DELETE FROM announcements")
    rows = db.execute(
        f"SELECT id FROM readings WHERE seq IS NOT NULL AND {UNFINISHED} ORDER BY seq"
    ).fetchall()
    db.execute("UPDATE readings SET seq = NULL")
    for seq, (row,) in enumerate(rows, start=1):
        db.execute("UPDATE readings SET seq = ? WHERE id = ?", seq, row)
    db.execute("UPDATE meta SET value = ? WHERE key = 'next_seq'", 1 + len(rows))
