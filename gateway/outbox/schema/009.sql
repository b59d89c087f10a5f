-- Two stamps alike are seen as the meter shows them; a pair of clocks is corrected once; what came
-- while no clock of ours was right says nothing of when; a record waits for its announced context.

ALTER TABLE readings ADD COLUMN taken_at TEXT;    -- the meter's stamp, naive; NULL: it gave none
CREATE INDEX readings_stamp ON readings (device_id, taken_at) WHERE taken_at IS NOT NULL;
ALTER TABLE readings ADD COLUMN sequence INTEGER; -- its number in the meter's memory, at first
ALTER TABLE readings ADD COLUMN issued_known INTEGER NOT NULL DEFAULT 1; -- 0: by an untrusted clock
ALTER TABLE clock_events ADD COLUMN corrected_at INTEGER; -- our clock, as it was known to be later
ALTER TABLE frames ADD COLUMN waits_until INTEGER; -- for what it has announced
