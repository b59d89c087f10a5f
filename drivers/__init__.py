"""What we know about each kind of meter. Pure: no I/O, no clock, no gateway import."""
