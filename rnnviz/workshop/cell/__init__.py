"""A cell of a person's own in the app: `rnnviz --cell my_cell.py`. docs/cell.md says what the file holds.

opening.py     reads the file, checks what it does, and lets this process know the cell
server.py      the process that the file's functions run in
connection.py  asks it, and ends it
derivatives.py the cell as the engine asks for it
checks.py      what a step and a backward_step are tried for
"""
