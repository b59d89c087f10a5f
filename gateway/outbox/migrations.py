"""The numbered steps of the schema, as the files beside this one have them."""

import sqlite3
from collections.abc import Iterator
from importlib import resources


def migrations() -> list[tuple[int, str]]:
    """The numbered schema files, oldest first."""
    folder = resources.files("gateway.outbox") / "schema"
    return sorted(
        (int(file.name.split(".")[0]), file.read_text(encoding="utf-8"))
        for file in folder.iterdir()
        if file.name.endswith(".sql")
    )


def statements(script: str) -> Iterator[str]:
    statement = ""
    for line in script.splitlines():
        statement += line.split("--")[0] + "\n"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
