"""Tables and moments for a terminal."""

from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from gateway.words import ago, moment


def print_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns as wide as they need to be; the last one as long as it likes."""
    lines = [heads, *rows]
    widths = [max(len(line[at]) for line in lines) for at in range(len(heads) - 1)]
    for line in lines:
        cells = [f"{cell:{width}}" for cell, width in zip(line, widths, strict=False)]
        print("  ".join([*cells, line[-1]]).rstrip())


def when(text: str | None, zone: ZoneInfo) -> str:
    """`2026-11-25 08:12`; a dash for never. *text*: ISO 8601."""
    return "-" if text is None else moment(datetime.fromisoformat(text), zone)


def since(text: str | None) -> str:
    """`5 min ago`, `never`. *text*: ISO 8601."""
    if text is None:
        return "never"
    return ago(datetime.now(UTC) - datetime.fromisoformat(text))


def count(n: int, one: str, many: str) -> str:
    """`1 reading`, `2 readings`."""
    return f"{n} {one if n == 1 else many}"
