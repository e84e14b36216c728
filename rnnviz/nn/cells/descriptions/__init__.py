"""One file per cell with its record CELL; every file in this folder is a cell. Does not import NumPy."""
