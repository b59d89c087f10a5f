-- A cursor knows the record that it stands on; octets that nobody can read are counted, not piled up.

ALTER TABLE devices ADD COLUMN mark BLOB; -- sealed: the cursor's record, to know it again
ALTER TABLE frames ADD COLUMN repeats INTEGER NOT NULL DEFAULT 0; -- the same octets again

CREATE INDEX frames_again ON frames (device_id, digest) WHERE state IN ('parked', 'held', 'ignored');
