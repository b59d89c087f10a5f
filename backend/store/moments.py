"""Moments as text: UTC, always of one length, so that they sort as what they mean."""

from datetime import UTC, datetime


def text(moment: datetime) -> str:
    """*moment* is aware."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
