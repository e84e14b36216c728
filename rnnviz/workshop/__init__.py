"""The workshop: exercises as Python files of the learner's own, checked number by number against the engine.

exercise.py   an exercise as a record; exercises/ has the ten
folder.py     the files in the learner's folder
running.py    runs one of them in a process of its own, within limits; child.py is that process
check.py      compares what it returned with the exact numbers
mistakes.py   which known mistake gives just these numbers
report.py     the result in words and as a picture of the time steps
"""
