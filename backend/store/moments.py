"""Moments as text: UTC, always of one length, so that they sort as what they mean."""

from datetime import UTC, datetime


def text(moment: datetime) -> str:
    """*moment* is aware."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


# Before any other: what is due then is due whatever our clock says, or is set to.
AT_ONCE = text(datetime(1970, 1, 1, tzinfo=UTC))


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
