"""What each cell is: one file a cell with CELL in it, found by its being here. Free of NumPy."""
