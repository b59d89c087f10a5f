"""What a receiver holds. SQLite is embedded; PostgreSQL is for several receivers."""

from backend.store.database import Database, StoreError, StoreUnusable, open_database
from backend.store.looks import readings, readings_of
from backend.store.shapes import (
    DeadLetter,
    Delivery,
    Place,
    Refusal,
    StoredReading,
    ToHandOn,
    Verdict,
)
from backend.store.store import Store

__all__ = [
    "Database",
    "DeadLetter",
    "Delivery",
    "Place",
    "Refusal",
    "Store",
    "StoreError",
    "StoreUnusable",
    "StoredReading",
    "ToHandOn",
    "Verdict",
    "open_database",
    "readings",
    "readings_of",
]
