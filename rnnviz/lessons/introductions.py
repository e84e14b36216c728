"""What a lesson may introduce: rows and marks of the score, keys and panels. Before its lesson it stays away.

A lesson says `introduces = ["gradient", "ledger"]` in its front matter; what the lessons before it have introduced
stays. A course that introduces nothing shows everything, and so do free play and the plain score.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from rnnviz.lessons.lesson import Exercise
from rnnviz.lessons.run import texts

if TYPE_CHECKING:
    from rnnviz.lessons.run import LessonRun

#: Beside these the names of all panels; which row of the score goes by which name: points.py.
#: `gates` holds all that is an LSTM's or a GRU's: gates, c, the highway.
NAMES = {
    "gradient": "the gradient row, and the keys that go back in time",
    "reach": "the row that shows how much of the gradient reaches the input the answer depends on",
    "gates": "the rows of the gates and the cell state, and the line beside the gradient's bars",
    "units": "the numbers of all units, two to a row, beside the hidden state",
    "ghost": "the run before a change, behind the bars",
    "turn": "the key that computes the loss and starts the way back",
    "train": "the keys that train, and undo training",
    "cut": "the key that cuts the loop",
    "engine": "the engine's sign in the title",
}
#: What a solution's commands take: the name under which its key is introduced.
TOOLS = {"settings": "knobs", "train": "train", "untrain": "train", "cut": "cut"}

_KEY = re.compile(r"`([^`\s]{1,9})`")


def keys_named(run: LessonRun) -> Iterator[str]:
    """The keys that the present step names, as they are printed: `o`, `space`."""
    for text in texts(run.step):
        yield from _KEY.findall(text)


def tools(run: LessonRun) -> tuple[str, ...]:
    """What the open exercise takes, by the name under which it is introduced: the first known way's first."""
    exercise = run.open_exercise
    if not isinstance(exercise, Exercise):
        return ()
    commands = (name for solution in exercise.solutions for name, _ in solution)
    return tuple(dict.fromkeys(TOOLS[name] for name in commands if name in TOOLS))


def unknown(names: Collection[str], panels: Collection[str]) -> list[str]:
    return [name for name in names if name not in NAMES and name not in panels]
