-- A meter that is read in full every time says the same for years: what says nothing new goes.

CREATE INDEX frames_repeats ON frames (wall) WHERE state = 'repeat';
CREATE INDEX journey_repeats ON journey (at) WHERE step IN ('kept', 'repeat');
