"""A new data key: everything sealed anew, in steps that may be cut short at any moment."""

from gateway.outbox.database import Database

# Every column that is sealed, by table; `meta` has one such value more.
SEALED = {
    "devices": ("info", "mark"),
    "bindings": ("patient",),
    "frames": ("octets",),
    "readings": ("natural_key", "reading", "former"),
    "bodies": ("body",),
    "announcements": ("body",),
}
BATCH = 200  # rows in one transaction: bounds the write-ahead log


def reseal(db: Database) -> int:
    """Seal with the present key what others have sealed. Returns how many values that were.

    Both keys must be known until this has returned; then nothing needs the old one. Raises
    KeyRefused for a value that is damaged.
    """
    count = 0
    for table, columns in SEALED.items():
        last = 0
        while rows := _rows(db, table, columns, last):
            with db.transaction(relieving=True):
                for row, *values in rows:
                    count += sum(
                        _anew(db, table, row, *pair) for pair in zip(columns, values, strict=True)
                    )
            last = rows[-1][0]
    secret = db.meta("secret")
    if not db.vault.is_current(secret):
        anew = db.seal("meta", 0, "secret", db.open("meta", 0, "secret", secret))
        with db.transaction(relieving=True):
            db.execute("UPDATE meta SET value = ? WHERE key = 'secret'", anew)
        count += 1
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()  # nothing old stays in the log
    return count


def _rows(
    db: Database, table: str, columns: tuple[str, ...], after: int
) -> list[tuple[int, bytes]]:
    some = " OR ".join(f"{column} IS NOT NULL" for column in columns)
    return db.execute(
        f"SELECT rowid, {', '.join(columns)} FROM {table} WHERE rowid > ? AND ({some})"
        " ORDER BY rowid LIMIT ?",
        after,
        BATCH,
    ).fetchall()


def _anew(db: Database, table: str, row: int, column: str, sealed: bytes | None) -> bool:
    if sealed is None or db.vault.is_current(sealed):
        return False
    anew = db.seal(table, row, column, db.open(table, row, column, sealed))
    db.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", anew, row)
    return True
