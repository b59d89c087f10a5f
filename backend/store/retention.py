"""Bodies are what a citizen measured: they go when nobody needs them here any more.

What a re-delivery is known by stays: id, version, digests, PHD identifiers, place. So it is a
`duplicate` for as long as the store lives.
"""

from datetime import datetime

from backend.store.database import Database, marks
from backend.store.moments import text

GONE = b""


def remove_bodies(db: Database, before: datetime, most: int) -> int:
    """Of readings that everybody had taken *before* that, and their gateways been told so; with
    their copies, and with what there never was anybody to take. Returns how many, at most *most*.
    """
    with db.writing():
        return len(
            db.execute(
                "UPDATE reading SET body = ? WHERE number IN (SELECT r.number FROM reading r"
                " LEFT JOIN onward o ON o.reading = coalesce(r.copy_of, r.number)"
                " WHERE length(r.body) > 0 AND r.first_at <= ?"
                " AND (o.reading IS NULL OR (o.state = 'delivered' AND o.told_at <= ?))"
                " ORDER BY r.first_at LIMIT ?) RETURNING number",
                *(GONE, text(before), text(before), most),
            )
        )


def remove_bodies_by_age(db: Database, before: datetime, most: int) -> int:
    """Of all that came *before* that, where nothing is handed on: nor will these be, later."""
    with db.writing():
        rows = db.execute(
            "UPDATE reading SET body = ? WHERE number IN (SELECT number FROM reading"
            " WHERE length(body) > 0 AND first_at <= ? ORDER BY first_at LIMIT ?)"
            " RETURNING number",
            *(GONE, text(before), most),
        )
        if rows:
            numbers = [number for (number,) in rows]
            db.execute(
                f"DELETE FROM onward WHERE state = 'waiting' AND reading IN {marks(numbers)}",
                *numbers,
            )
    return len(rows)
