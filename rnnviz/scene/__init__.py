"""Frozen records: a cursor, the commands, and all that a screen shows at one moment."""
