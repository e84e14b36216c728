"""The kinds of run, a file each: what can be stepped through."""
