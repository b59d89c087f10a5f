-- The outbox, first schema. Times are microseconds since 1970-01-01 UTC (INTEGER); a device's own
-- clock is naive ISO text. Columns marked "sealed" are AES-256-GCM (vault.py). AUTOINCREMENT: the id
-- of a row that is gone is never given to another, so that nothing of one person finds a second.

CREATE TABLE meta (                    -- epoch, next_seq, and the sealed secret behind digests
    key   TEXT PRIMARY KEY,
    value ANY NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE devices (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    address    TEXT NOT NULL UNIQUE,   -- what a connection is made to
    driver     TEXT NOT NULL,
    identity   TEXT UNIQUE,            -- frozen at first contact; NULL until then
    info       BLOB,                   -- sealed: a serial number can point at a person
    bond       TEXT NOT NULL DEFAULT 'none yet',
    cursor     INTEGER,                -- RACP: read in full up to this sequence number
    battery    INTEGER,
    added_at   INTEGER NOT NULL,
    introduced INTEGER                 -- session in which we first met
) STRICT;

CREATE TABLE bindings (                -- whose reading: (device, user slot) -> patient
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    device_id  INTEGER NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    slot       INTEGER,                -- NULL: readings that name no user
    patient    BLOB,                   -- sealed; NULL: this slot is ignored
    from_at    INTEGER NOT NULL,
    to_at      INTEGER,                -- NULL: until further notice
    only       INTEGER REFERENCES readings (id) ON DELETE CASCADE -- this reading and no other
) STRICT;
CREATE INDEX bindings_device ON bindings (device_id);

CREATE TABLE sessions (                -- one connection
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid       TEXT NOT NULL,
    device_id  INTEGER NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    started_at INTEGER NOT NULL,
    ended_at   INTEGER,
    outcome    TEXT
) STRICT;
CREATE INDEX sessions_device ON sessions (device_id);
CREATE INDEX sessions_open ON sessions (id) WHERE ended_at IS NULL;

CREATE TABLE segments (                -- a span in which a device's clock ran free
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    device_id   INTEGER NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    offset_us   INTEGER NOT NULL,      -- UTC minus device clock
    device_from TEXT,                  -- NULL: as far back as its memory goes
    device_to   TEXT,                  -- NULL: still running
    seen        TEXT                   -- the clock when it was last read
) STRICT;
CREATE INDEX segments_device ON segments (device_id);

CREATE TABLE clock_events (            -- a device's clock read or set, beside ours
    id           INTEGER PRIMARY KEY,
    session_id   INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    kind         TEXT NOT NULL CHECK (kind IN ('read', 'set')),
    device_clock TEXT,                 -- NULL: the meter has none that can be read
    wall         INTEGER NOT NULL,
    boottime     INTEGER NOT NULL,
    boot_id      TEXT NOT NULL,
    trusted      INTEGER NOT NULL,
    segment_id   INTEGER REFERENCES segments (id) ON DELETE SET NULL
) STRICT;
CREATE INDEX clock_events_session ON clock_events (session_id);

CREATE TABLE frames (                  -- exactly what came, before anything looks at it
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    device_id      INTEGER NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    session_id     INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    characteristic TEXT NOT NULL,
    octets         BLOB,               -- sealed; NULL once purged
    digest         BLOB NOT NULL,      -- keyed hash of characteristic and octets
    joins          BLOB,               -- keyed hash of what a later frame finds it by
    wall           INTEGER NOT NULL,
    boottime       INTEGER NOT NULL,
    boot_id        TEXT NOT NULL,
    trusted        INTEGER NOT NULL,
    state          TEXT NOT NULL DEFAULT 'captured'
                   CHECK (state IN ('captured', 'decoded', 'repeat', 'parked', 'held', 'ignored')),
    reason         TEXT,
    attempts       INTEGER NOT NULL DEFAULT 0,
    reading_id     INTEGER REFERENCES readings (id) ON DELETE SET NULL
) STRICT;
CREATE INDEX frames_todo ON frames (id) WHERE state IN ('captured', 'parked', 'held');
CREATE INDEX frames_joins ON frames (device_id, joins) WHERE joins IS NOT NULL;
CREATE INDEX frames_reading ON frames (reading_id) WHERE reading_id IS NOT NULL;

CREATE TABLE readings (                -- one act of measurement, and where it is on its way
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    device_id    INTEGER NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    session_id   INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    key          BLOB NOT NULL,        -- keyed hash of its identity on the device
    frame_key    BLOB NOT NULL,        -- the same without clock segment or arrival
    natural_key  BLOB,                 -- sealed: what frame_key is the hash of
    place        TEXT NOT NULL,        -- the clock segment or arrival that `key` has beside it
    segment_id   INTEGER REFERENCES segments (id) ON DELETE SET NULL,
    binding_id   INTEGER REFERENCES bindings (id) ON DELETE SET NULL,
    public_id    TEXT UNIQUE,          -- NULL until the person is known
    version      INTEGER NOT NULL DEFAULT 1,
    reading      BLOB,                 -- sealed
    slot         INTEGER,
    effective_at INTEGER,              -- NULL: the time cannot be known
    issued_at    INTEGER NOT NULL,
    state        TEXT NOT NULL CHECK (state IN
                 ('pending', 'published', 'received', 'held', 'parked', 'ignored')),
    reason       TEXT,
    attempts     INTEGER NOT NULL DEFAULT 0,
    seq          INTEGER UNIQUE,       -- given at render
    sha256       TEXT,
    late         INTEGER,
    publishes    INTEGER NOT NULL DEFAULT 0,
    due_at       INTEGER,              -- next (re)publish
    puback       INTEGER,              -- the broker's last reason code
    published_at INTEGER,
    received_at  INTEGER,
    UNIQUE (device_id, key)
) STRICT;
CREATE INDEX readings_frame_key ON readings (device_id, frame_key);
CREATE INDEX readings_render ON readings (id) WHERE state = 'pending' AND seq IS NULL;
CREATE INDEX readings_due ON readings (due_at) WHERE state IN ('pending', 'published');
CREATE INDEX readings_attention ON readings (id) WHERE state IN ('held', 'parked');
CREATE INDEX readings_received ON readings (received_at) WHERE state = 'received';

CREATE TABLE bodies (                  -- the Bundle, byte for byte; gone keep_days after receipt
    reading_id INTEGER PRIMARY KEY REFERENCES readings (id) ON DELETE CASCADE,
    body       BLOB NOT NULL           -- deflated (RFC 1950), then sealed
) STRICT;

CREATE TABLE receipts (                -- who has said that it holds which version
    reading_id INTEGER NOT NULL REFERENCES readings (id) ON DELETE CASCADE,
    receiver   TEXT NOT NULL,
    version    INTEGER NOT NULL,
    status     TEXT NOT NULL,
    at         INTEGER NOT NULL,
    PRIMARY KEY (reading_id, receiver, version, status)
) STRICT, WITHOUT ROWID;

CREATE TABLE commands (                -- on disk before they are acknowledged
    issuer   TEXT NOT NULL,
    number   INTEGER NOT NULL,
    id       TEXT NOT NULL,
    at       INTEGER NOT NULL,
    outcome  TEXT,
    PRIMARY KEY (issuer, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE journey (                 -- what happened to whom, and when; never a value
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    at         INTEGER NOT NULL,
    step       TEXT NOT NULL,
    device_id  INTEGER,
    reading_id INTEGER,
    detail     TEXT
) STRICT;
CREATE INDEX journey_reading ON journey (reading_id) WHERE reading_id IS NOT NULL;

CREATE TABLE counters (                -- rare events worth counting across restarts
    name TEXT PRIMARY KEY,
    n    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
