"""What was written while our clock was ahead of the time."""

from datetime import datetime, timedelta

from backend.store.asks import LIFE
from backend.store.database import Database
from backend.store.moments import text

LONGEST = timedelta(days=1)  # that anybody is made to wait for another try


def bring_back(db: Database, now: datetime) -> None:
    """Nothing waits for a moment that somebody's wrong clock named."""
    with db.writing():
        for table, column, latest in (
            ("onward", "queued_at", now),
            ("onward_to", "due_at", now + LONGEST),
            ("missing", "since", now),
            ("missing", "ask_at", now + LIFE),
        ):
            waiting = "state = 'open'" if table == "missing" else "state = 'waiting'"
            db.execute(
                f"UPDATE {table} SET {column} = ? WHERE {waiting} AND {column} > ?",
                *(text(now), text(latest)),
            )
