"""Which table a row was in, told from its values alone: no two tables of the outbox look alike."""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

Values = Sequence[object]

_TYPES: Mapping[str, type] = {"INTEGER": int, "TEXT": str, "BLOB": bytes, "ANY": object}


@dataclass(frozen=True, slots=True)
class Column:
    """`row_id`: it stands for the row id, and the row itself has NULL there."""

    name: str
    type: type
    nullable: bool
    row_id: bool

    def takes(self, value: object) -> bool:
        if value is None:
            return self.nullable or self.row_id
        return isinstance(value, self.type) and not self.row_id


@dataclass(frozen=True, slots=True)
class Shape:
    """A table's columns, and how many of them rows had when they were written."""

    table: str
    columns: tuple[Column, ...]
    lengths: frozenset[int]

    def fits(self, values: Values, *, ahead: bool) -> bool:
        """*ahead*: a version after this one wrote them, and may have had further columns."""
        if not (len(values) > len(self.columns) if ahead else len(values) in self.lengths):
            return False
        return all(column.takes(value) for column, value in zip(self.columns, values, strict=False))

    def named(self, values: Values) -> dict[str, object]:
        return {
            column.name: value
            for column, value in zip(self.columns, values, strict=False)
            if not column.row_id
        }


def shapes(scripts: Sequence[str]) -> tuple[Shape, ...]:
    """The tables that these schema files make, one after the other."""
    lengths: dict[str, set[int]] = {}
    with closing(sqlite3.connect(":memory:")) as database:
        for script in scripts:
            database.executescript(script)
            for table in _tables(database):
                lengths.setdefault(table, set()).add(len(_columns(database, table)))
        return tuple(
            Shape(table, _columns(database, table), frozenset(lengths[table]))
            for table in _tables(database)
        )


def shape_of(known: Sequence[Shape], values: Values) -> Shape | None:
    """Where such a row belongs, if anywhere."""
    for ahead in (False, True):
        for shape in known:
            if shape.fits(values, ahead=ahead):
                return shape
    return None


def _tables(database: sqlite3.Connection) -> list[str]:
    names = database.execute("SELECT name FROM pragma_table_list WHERE type = 'table'").fetchall()
    return sorted(name for (name,) in names if not name.startswith("sqlite_"))


def _columns(database: sqlite3.Connection, table: str) -> tuple[Column, ...]:
    found = database.execute(f"PRAGMA table_info({table})").fetchall()
    keys = sum(1 for column in found if column[5])
    return tuple(
        Column(name, _TYPES[kind], not required and not key, kind == "INTEGER" and key == keys == 1)
        for _, name, kind, required, _, key in found
    )
