"""The experiment: its settings, its cost in memory and time, and the code that builds, trains and evaluates it."""
