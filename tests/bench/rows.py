"""What a benchmark returns, and how it is shown."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

HEADINGS = ("figure", "value", "p50", "p99", "unit", "bare", "ratio", "aim")


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. A single `value`, or the percentiles of a series; the rest where it exists.

    `bare` is the same figure (the p50 of a series) of a script that does this one thing and no
    more; `aim` is the most that the project allows itself.
    """

    figure: str
    unit: str
    value: float | None = None
    p50: float | None = None
    p99: float | None = None
    bare: float | None = None
    aim: float | None = None

    @property
    def ratio(self) -> float | None:
        ours = self.value if self.value is not None else self.p50
        return None if ours is None or not self.bare else ours / self.bare

    @property
    def missed(self) -> bool:
        """Whether the aim is missed: it is held against the p99 of a series."""
        worst = self.value if self.value is not None else self.p99
        return self.aim is not None and worst is not None and worst > self.aim


def percentile(values: Sequence[float], percent: float) -> float:
    """The nearest rank, so that it is a value that was seen."""
    ordered = sorted(values)
    rank = -(-len(ordered) * percent // 100)  # rounded up
    return ordered[max(0, int(rank) - 1)]


def series(
    figure: str,
    unit: str,
    values: Sequence[float],
    bare: float | None = None,
    aim: float | None = None,
) -> Row:
    return Row(
        f"{figure} (n={len(values)})",
        unit,
        p50=percentile(values, 50),
        p99=percentile(values, 99),
        bare=bare,
        aim=aim,
    )


def as_json(name: str, rows: Sequence[Row]) -> list[str]:
    return [
        json.dumps({"benchmark": name, **asdict(row), "ratio": row.ratio, "missed": row.missed})
        for row in rows
    ]


def as_table(rows: Sequence[Row]) -> str:
    cells = [HEADINGS, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEADINGS))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column in (0, 4) else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in cells
    )


def _cells(row: Row) -> tuple[str, ...]:
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}x"
    aim = "" if row.aim is None else f"{_number(row.aim)}{' missed' if row.missed else ''}"
    numbers = (row.value, row.p50, row.p99)
    return (row.figure, *map(_number, numbers), row.unit, _number(row.bare), ratio, aim)


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
