-- Whether another reading of the same meter bears the same stamp: PHD's identifier must stay unique.

CREATE INDEX readings_moment ON readings (device_id, effective_at) WHERE effective_at IS NOT NULL;
