"""One file for each format: `read(path, decisions)` gives a WeightFile."""
