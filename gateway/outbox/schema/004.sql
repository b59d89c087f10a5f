-- What is asked again and again is found without reading all that is kept for a device's life.

CREATE INDEX readings_newest ON readings (device_id, issued_at);
CREATE INDEX clock_events_unplaced ON clock_events (id)
    WHERE segment_id IS NULL AND device_clock IS NOT NULL;
CREATE INDEX readings_purge ON readings (received_at)
    WHERE state = 'received' AND reading IS NOT NULL;

-- After an outage everything is due at the same moment: in order of number without sorting it all.
DROP INDEX readings_due;
CREATE INDEX readings_due ON readings (due_at, seq) WHERE state IN ('pending', 'published');
