"""What a lesson may introduce: rows and marks of the score, keys and panels. They are hidden before that lesson.

A lesson lists them in its front matter, `introduces = ["gradient", "ledger"]`; they stay for all later lessons. A
course that introduces nothing shows everything, and so do free play and the plain score.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from rnnviz.lessons.lesson import Exercise
from rnnviz.lessons.run import texts

if TYPE_CHECKING:
    from rnnviz.lessons.run import LessonRun

#: In addition the names of all panels; points.py has the name of each row of the score.
#: `gates` covers everything of an LSTM or GRU: gates, c, the highway.
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
#: The commands of a solution, and the name under which each one's key is introduced.
TOOLS = {"settings": "knobs", "record": "train", "train": "train", "untrain": "train", "cut": "cut"}

_KEY = re.compile(r"`([^`\s]{1,9})`")


def keys_named(run: LessonRun) -> Iterator[str]:
    """The keys that the present step's text names, as printed: `o`, `space`."""
    for text in texts(run.step):
        yield from _KEY.findall(text)


def tools(run: LessonRun) -> tuple[str, ...]:
    """The tools that the open exercise needs, by the names that introduce them; those of the first solution first."""
    exercise = run.open_exercise
    if not isinstance(exercise, Exercise):
        return ()
    commands = (name for solution in exercise.solutions for name, _ in solution)
    return tuple(dict.fromkeys(TOOLS[name] for name in commands if name in TOOLS))


def unknown(names: Collection[str], panels: Collection[str]) -> list[str]:
    return [name for name in names if name not in NAMES and name not in panels]
