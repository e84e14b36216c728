"""Findings about a training: what is measured to be wrong with it, a likely cause, and one thing to try."""
