"""How a receiver is set up."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

KEEP_DAYS = 30  # after everybody has taken a reading


@dataclass(frozen=True, slots=True)
class Settings:
    """Where to listen, and where to keep what is heard."""

    host: str
    port: int
    ca: Path
    certificate: Path
    key: Path
    store: str | Path  # a file, or postgresql://...
    organisation: str
    by: str
    name: str | None = None  # at the broker, where several are one `by`
    share: str | None = None
    export: Path | None = None
    onward: Path | None = None  # to whom readings are handed on
    fleet_key: Path | None = None
    issuer: str | None = None
    gap_patience_s: float = 900.0
    pace: float = 10.0  # readings a second, onward
    reconnect_cap_s: float = 60.0
    keep_days: int | None = None  # None: 30 if readings are handed on, else for ever
    checkers: int = 0  # processes that examine bodies; 0: this one does

    @property
    def client_id(self) -> str:
        return self.name or self.by

    @property
    def keep(self) -> timedelta | None:
        """How long bodies stay; None: for ever."""
        days = self.keep_days
        if days is None and self.onward is not None:
            days = KEEP_DAYS
        return None if days is None else timedelta(days=days)

    @property
    def patience(self) -> timedelta:
        return timedelta(seconds=self.gap_patience_s)
