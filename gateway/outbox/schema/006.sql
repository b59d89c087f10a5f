-- A reading that was sent and should not have been is withdrawn, and what one said in an earlier
-- version is known for as long as it can be amended.

ALTER TABLE readings ADD COLUMN former BLOB;          -- sealed: what was sent and is said no more
ALTER TABLE readings ADD COLUMN withdrawn_at INTEGER; -- by a technician; NULL: it stands
