-- A changed Device is a message of its own: one row for each meter, and one for this gateway.

CREATE TABLE announcements (           -- what a Device was last said to be, and who knows it
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    device_id  INTEGER UNIQUE REFERENCES devices (id) ON DELETE CASCADE, -- NULL: this gateway
    public_id  TEXT NOT NULL UNIQUE,
    version    INTEGER NOT NULL,
    contents   BLOB NOT NULL,          -- keyed hash of what is compared
    body       BLOB NOT NULL,          -- sealed: the Bundle, deflated
    sha256     TEXT NOT NULL,
    seq        INTEGER NOT NULL UNIQUE,
    changed_at INTEGER NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('pending', 'published', 'received', 'parked')),
    reason     TEXT,
    publishes  INTEGER NOT NULL DEFAULT 0,
    due_at     INTEGER,
    puback     INTEGER,
    holders    TEXT NOT NULL DEFAULT '[]', -- receivers that hold this version
    received_at INTEGER
) STRICT;
