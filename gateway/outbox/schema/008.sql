-- A meter's firmware may change: what it says of itself is read anew when this is old.

ALTER TABLE devices ADD COLUMN info_read_at INTEGER; -- by a trusted clock; NULL: by none, so it is old
