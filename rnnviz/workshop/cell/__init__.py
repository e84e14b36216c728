"""A cell of a person's own in the app: `rnnviz --cell my_cell.py`. docs/cell.md says what the file holds.

opening.py     reads the file, checks what it does, and lets this process know the cell
server.py      the process that the file's functions run in; steps.py answers its questions
tape.py        in it: the gradients of all parameters from one recorded call
connection.py  asks it, and ends it
derivatives.py the cell as the engine asks for it
checks.py      what a step is tried for
verdicts.py    what its backward_step gives, beside the exact gradients
"""
