"""The tables, for either database. Every statement adds what is not there yet."""

from collections.abc import Mapping, Sequence

_TABLES = (
    # Each version of each reading; `copy_of`: the same measurement came before, by another way.
    # And each word on a Device: its `contents` begin with "device ".
    """CREATE TABLE IF NOT EXISTS reading (
        number {serial},
        id TEXT NOT NULL,
        version {int} NOT NULL,
        sha256 TEXT NOT NULL,
        body {octets} NOT NULL,
        contents TEXT NOT NULL,
        copy_of {int},
        organisation TEXT NOT NULL,
        gateway TEXT NOT NULL,
        epoch TEXT NOT NULL,
        seq {int} NOT NULL,
        late {int} NOT NULL,
        first_at TEXT NOT NULL,
        deliveries {int} NOT NULL,
        UNIQUE (id, version, organisation, sha256)
    ){strict}""",
    """CREATE UNIQUE INDEX IF NOT EXISTS reading_once ON reading (id, version, organisation)
        WHERE copy_of IS NULL""",
    "CREATE INDEX IF NOT EXISTS reading_place ON reading (gateway, epoch, seq)",
    """CREATE INDEX IF NOT EXISTS reading_copies ON reading (copy_of)
        WHERE copy_of IS NOT NULL""",
    # Whose octets are still here.
    """CREATE INDEX IF NOT EXISTS reading_whole ON reading (first_at)
        WHERE length(body) > 0""",
    # What HL7's device guide calls a measurement, to know it again from another gateway.
    """CREATE TABLE IF NOT EXISTS phd_identifier (
        value TEXT NOT NULL,
        reading {int} NOT NULL,
        PRIMARY KEY (value, reading)
    ){strict}""",
    # The numbers of a gateway: up to `highest` all have come but those in `missing`.
    """CREATE TABLE IF NOT EXISTS stream (
        number {serial},
        organisation TEXT NOT NULL,
        gateway TEXT NOT NULL,
        epoch TEXT NOT NULL,
        highest {int} NOT NULL,
        first_at TEXT NOT NULL,
        last_at TEXT NOT NULL,
        UNIQUE (gateway, epoch)
    ){strict}""",
    # state: open; or why it will stay: gone, void, failed.
    """CREATE TABLE IF NOT EXISTS missing (
        stream {int} NOT NULL,
        first {int} NOT NULL,
        last {int} NOT NULL,
        since TEXT NOT NULL,
        state TEXT NOT NULL,
        reason TEXT,
        asked {int} NOT NULL,
        ask_at TEXT NOT NULL,
        PRIMARY KEY (stream, first)
    ){strict}""",
    # Commands. Without `number`: not signed yet. Without `status`: not answered yet.
    """CREATE TABLE IF NOT EXISTS ask (
        id TEXT NOT NULL PRIMARY KEY,
        organisation TEXT NOT NULL,
        gateway TEXT NOT NULL,
        epoch TEXT,
        first {int},
        last {int},
        since TEXT,
        made_at TEXT NOT NULL,
        issuer TEXT,
        number {int},
        expires TEXT,
        sent_at TEXT,
        answered_at TEXT,
        status TEXT,
        reason TEXT,
        result TEXT
    ){strict}""",
    # Of those, the ones that are no `replay` but withdraw a reading, or put it back in force.
    """CREATE TABLE IF NOT EXISTS withdrawal (
        ask TEXT NOT NULL PRIMARY KEY,
        reading TEXT NOT NULL,
        undo {int} NOT NULL
    ){strict}""",
    """CREATE TABLE IF NOT EXISTS issuer (
        name TEXT NOT NULL PRIMARY KEY,
        number {int} NOT NULL
    ){strict}""",
    # What is to be handed on. state: waiting; then delivered, undeliverable.
    """CREATE TABLE IF NOT EXISTS onward (
        position {serial},
        reading {int} NOT NULL UNIQUE,
        stream {int} NOT NULL,
        seq {int} NOT NULL,
        state TEXT NOT NULL,
        queued_at TEXT NOT NULL,
        due_at TEXT NOT NULL,
        attempts {int} NOT NULL,
        reason TEXT,
        settled_at TEXT,
        told_at TEXT
    ){strict}""",
    """CREATE INDEX IF NOT EXISTS onward_waiting ON onward (stream, seq)
        WHERE state = 'waiting'""",
    """CREATE INDEX IF NOT EXISTS onward_in_order ON onward (position)
        WHERE state = 'waiting'""",
    """CREATE INDEX IF NOT EXISTS onward_untold ON onward (position)
        WHERE state <> 'waiting' AND told_at IS NULL""",
    # Of that, what each party is to get, or has got. state: waiting; then delivered, undeliverable,
    # or nothing: none of it is theirs.
    """CREATE TABLE IF NOT EXISTS onward_to (
        party TEXT NOT NULL,
        reading {int} NOT NULL,
        position {int} NOT NULL,
        stream {int} NOT NULL,
        seq {int} NOT NULL,
        state TEXT NOT NULL,
        due_at TEXT NOT NULL,
        attempts {int} NOT NULL,
        reason TEXT,
        settled_at TEXT,
        PRIMARY KEY (party, reading)
    ){strict}""",
    """CREATE INDEX IF NOT EXISTS onward_to_by_reading ON onward_to (reading)""",
    """CREATE INDEX IF NOT EXISTS onward_to_waiting ON onward_to (party, stream, seq)
        WHERE state = 'waiting'""",
    """CREATE INDEX IF NOT EXISTS onward_to_in_order ON onward_to (party, position)
        WHERE state = 'waiting'""",
    # How often it was begun to hand on what waits, without an end that was meant.
    """CREATE TABLE IF NOT EXISTS onward_begun (
        party TEXT NOT NULL,
        position {int} NOT NULL,
        times {int} NOT NULL,
        PRIMARY KEY (party, position)
    ){strict}""",
    # What somebody should repair of a party's files.
    """CREATE TABLE IF NOT EXISTS onward_trouble (
        party TEXT NOT NULL PRIMARY KEY,
        words TEXT NOT NULL
    ){strict}""",
    """CREATE TABLE IF NOT EXISTS dead_letter (
        number {serial},
        topic TEXT NOT NULL,
        sha256 TEXT NOT NULL,
        reason TEXT NOT NULL,
        properties TEXT NOT NULL,
        body {octets},
        first_at TEXT NOT NULL,
        last_at TEXT NOT NULL,
        deliveries {int} NOT NULL,
        UNIQUE (topic, sha256, reason)
    ){strict}""",
    # What a human should know of a gateway, and how often it was so.
    """CREATE TABLE IF NOT EXISTS notice (
        gateway TEXT NOT NULL,
        what TEXT NOT NULL,
        first_at TEXT NOT NULL,
        last_at TEXT NOT NULL,
        times {int} NOT NULL,
        PRIMARY KEY (gateway, what)
    ){strict}""",
    """CREATE TABLE IF NOT EXISTS gateway (
        organisation TEXT NOT NULL,
        name TEXT NOT NULL,
        online {int} NOT NULL,
        version TEXT NOT NULL,
        said_at TEXT NOT NULL,
        heard_at TEXT NOT NULL,
        PRIMARY KEY (organisation, name)
    ){strict}""",
)


def _for(words: Mapping[str, str]) -> Sequence[str]:
    return tuple(table.format_map(words) for table in _TABLES)


SQLITE = _for(
    {
        "serial": "INTEGER PRIMARY KEY AUTOINCREMENT",
        "int": "INTEGER",
        "octets": "BLOB",
        "strict": " STRICT",
    }
)
POSTGRES = _for(
    {
        "serial": "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
        "int": "BIGINT",
        "octets": "BYTEA",
        "strict": "",
    }
)
