"""The plain face: the player as lines of text, for a screen reader, a braille line, a pipe.

words.py      what a person can type, and what it means
reader.py     one line in, sentences out; loop.py: lines from a terminal or a pipe
moment.py     where the network is now; rows.py, panels.py: what the app draws, in sentences
lesson.py     the lessons
"""
