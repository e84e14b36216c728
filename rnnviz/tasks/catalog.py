"""The tasks by name: a description of each, its defaults, and the meaning of `seq_len` and `lag` for it.

    >>> info("recall").title
    'recall'
    >>> dimensions("recall", None, 30)          # a lag of 30 steps needs 31 of them
    (31, 30)

Does not import numpy, so that `--help` and a menu can read it at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rnnviz.errors import InputError, short_repr
from rnnviz.tasks.own.decisions import NAMES as DECISIONS

OPTIONAL = ("lag", "points", "noise", "samples", "source")  # settings that only some tasks use
#: Stands for the input of a step that is padding.
PAD = "▫"
#: What the network does at a padded step, and where these are: see padding.py.
MASKS, PADDINGS = ("packed", "copy", "none"), ("after", "before")
SHAPES = ("many-to-many", "many-to-one", "one-to-many")

COPY_SYMBOLS = 8  # symbols that may have to be copied (Arjovsky et al. 2016, section 4.1)
COPY_WIDTH = 10  # how many of them in one sequence, when there is room
NO_CARRY = "only the sine, a text and your own series have sequences that continue one another"
MOST_LABELLED = 2_000  # sequences of a person's own, unless more are asked for; a minute's training
MOST_CHARACTERS = 200_000  # read from a text file; training on more would take hours
LONGEST_NAME = 11  # letters in the longest surname of names.py
LONGEST_CAPTION = 7  # letters in the longest word of captions.py, with its end mark
FLIPFLOP_BITS = 3


Dimensions = tuple[int, int | None]


@dataclass(frozen=True)
class TaskInfo:
    """One task in a few words, and its default settings."""

    name: str
    title: str
    about: str  # one line: what goes in, what comes out
    shape: str  # one of SHAPES
    loss: str  # "mse" or "cross_entropy"
    loss_at: str  # the task's own choice, in words that fit the setting where they can
    seq_len: int
    samples: int | None  # None: counted from the data (windows of the sine or of a text)
    uses: frozenset[str]  # those of the settings in OPTIONAL that the task uses; carry: its sequences may be in rows
    #: Completes (seq_len, lag) if one or both are open; raises InputError if they conflict.
    fill: Callable[[TaskInfo, int | None, int | None], Dimensions]
    inputs: int = 1  # I and O; for a text the largest possible
    outputs: int = 1
    at_most: int = 0  # most sequences, if counted from the data; for the built-in text its number of characters
    # Settings that learn the task in about a minute. The sine's are Experiment's defaults: the Keras recipe.
    recipe: tuple[tuple[str, object], ...] = ()


def _without_lag(task: TaskInfo, seq_len: int | None, lag: int | None) -> Dimensions:
    return task.seq_len if seq_len is None else seq_len, None


def _of_data(task: TaskInfo, seq_len: int | None, lag: int | None) -> Dimensions:
    """The sequence length is that of the data, where it is open (`experiment.own_data`)."""
    return task.seq_len if seq_len is None else seq_len, None


def _captions(task: TaskInfo, seq_len: int | None, lag: int | None) -> Dimensions:
    """The end mark of the longest word comes LONGEST_CAPTION - 1 steps after the picture."""
    T = task.seq_len if seq_len is None else seq_len
    if T < LONGEST_CAPTION:
        raise InputError(f"seq_len: {T} steps are too few for captions; use {LONGEST_CAPTION} or more")
    return T, LONGEST_CAPTION - 1


def _to_the_end(task: TaskInfo, seq_len: int | None, lag: int | None) -> Dimensions:
    """recall and adding have their target at the last step T, so the farthest input they need is at T - lag. The last
    pulse of a flip-flop may be as long ago."""
    T = seq_len if seq_len is not None else (task.seq_len if lag is None else lag + 1)
    if T < 2:
        raise InputError(f"seq_len: the task {task.name!r} needs at least 2 steps")
    if lag is not None and lag > T - 1:
        raise InputError(f"lag: {lag} does not fit into {T} steps; use at most {T - 1}, or more steps")
    return T, T - 1 if lag is None else lag


def _copying(task: TaskInfo, seq_len: int | None, lag: int | None) -> Dimensions:
    """The target of step t + lag is the symbol of step t: all symbols return in the last T - lag steps."""
    if lag is None:
        T = task.seq_len if seq_len is None else seq_len
        if T < 3:
            raise InputError("seq_len: copying needs at least 3 steps: a symbol, the signal and the answer")
        return T, T - max(1, min(COPY_WIDTH, (T - 1) // 3))
    if lag < 2:
        raise InputError("lag: copying needs at least 2: the signal comes between symbol and answer")
    T = lag + max(1, min(COPY_WIDTH, lag // 2)) if seq_len is None else seq_len
    if lag > T - 1:
        raise InputError(f"lag: {lag} does not fit into {T} steps; use at most {T - 1}, or more steps")
    if T - lag > lag - 1:
        raise InputError(
            f"lag: {lag} is too short to copy {T - lag} symbols in {T} steps; use at least {T // 2 + 1}, or fewer steps"
        )
    return T, lag


_ADAM = (("optimizer", "adam"), ("learning_rate", 0.01), ("batch_size", 32))

CATALOG: dict[str, TaskInfo] = {
    entry.name: entry
    for entry in (
        TaskInfo(
            "sine",
            "noisy sine",
            "read a window of a noisy sine; predict the next point at every step",
            "many-to-many",
            "mse",
            "every",
            seq_len=10,
            samples=None,
            uses=frozenset({"points", "noise", "shortest", "carry"}),
            fill=_without_lag,
        ),
        TaskInfo(
            "recall",
            "recall",
            "read a symbol, then noise; name the symbol at the end",
            "many-to-one",
            "cross_entropy",
            "last",
            seq_len=21,
            samples=500,
            uses=frozenset({"lag", "samples", "shortest"}),
            fill=_to_the_end,
            inputs=7,
            outputs=4,
            recipe=(*_ADAM, ("epochs", 20)),
        ),
        TaskInfo(
            "adding",
            "adding",
            "read random numbers, two of them marked; predict their sum at the end",
            "many-to-one",
            "mse",
            "last",
            seq_len=30,
            samples=1000,
            uses=frozenset({"lag", "samples", "shortest"}),
            fill=_to_the_end,
            inputs=2,
            outputs=1,
            recipe=(*_ADAM, ("epochs", 40)),
        ),
        TaskInfo(
            "copying",
            "copying",
            "read a few symbols, wait for a signal, then repeat them in order",
            "many-to-many",
            "cross_entropy",
            "every",
            seq_len=20,
            samples=1000,
            uses=frozenset({"lag", "samples", "shortest"}),
            fill=_copying,
            inputs=10,
            outputs=9,
            recipe=(*_ADAM, ("epochs", 60)),
        ),
        TaskInfo(
            "names",
            "names",
            "read a surname letter by letter; name its language at the end",
            "many-to-one",
            "cross_entropy",
            "last",
            seq_len=LONGEST_NAME,
            samples=None,
            uses=frozenset({"samples"}),
            fill=_without_lag,
            inputs=26,
            outputs=8,
            at_most=361,
            recipe=(*_ADAM, ("epochs", 40)),
        ),
        TaskInfo(
            "characters",
            "characters",
            "read a text; predict the next character at every step",
            "many-to-many",
            "cross_entropy",
            "every",
            seq_len=40,
            samples=None,
            uses=frozenset({"samples", "source", "shortest", "carry"}),
            fill=_without_lag,
            inputs=128,
            outputs=128,
            at_most=2_000,
            recipe=(("optimizer", "adam"), ("learning_rate", 0.01), ("batch_size", 8), ("epochs", 40)),
        ),
        TaskInfo(
            "captions",
            "captions in miniature",
            "read a picture of 3 × 3 pixels once; then spell its word",
            "one-to-many",
            "cross_entropy",
            "every",
            seq_len=LONGEST_CAPTION,
            samples=200,
            uses=frozenset({"samples", "noise"}),
            fill=_captions,
            inputs=9,
            outputs=18,
            recipe=(*_ADAM, ("epochs", 40)),
        ),
        TaskInfo(
            "flipflop",
            "flip-flop",
            "read rare pulses of three bits; give the last pulse of each at every step",
            "many-to-many",
            "mse",
            "every",
            seq_len=20,
            samples=500,
            uses=frozenset({"samples"}),
            fill=_to_the_end,
            inputs=FLIPFLOP_BITS,
            outputs=FLIPFLOP_BITS,
            recipe=(*_ADAM, ("epochs", 40)),
        ),
    )
}

NAMES = tuple(CATALOG)

#: The tasks of a person's own data: `--data` chooses one, by what is in the file. Sizes are those of the data.
OWN: dict[str, TaskInfo] = {
    entry.name: entry
    for entry in (
        TaskInfo(
            "series",
            "forecast",
            "read a window of your own series; predict its next value",
            "many-to-one",
            "mse",
            "last",
            seq_len=20,
            samples=None,
            uses=frozenset({"data", "shortest", "carry", *DECISIONS}),
            fill=_of_data,
            recipe=(*_ADAM, ("epochs", 40)),
        ),
        TaskInfo(
            "labelled",
            "classes",
            "read a sequence of your own; name its class at the end",
            "many-to-one",
            "cross_entropy",
            "last",
            seq_len=20,
            samples=None,
            uses=frozenset({"data", "samples", *DECISIONS}),
            fill=_of_data,
            recipe=(*_ADAM, ("epochs", 40)),
        ),
    )
}


def info(name: str) -> TaskInfo:
    """The entry of task `name`. Raises InputError for an unknown one."""
    try:
        return OWN[name] if name in OWN else CATALOG[name]
    except (KeyError, TypeError):  # TypeError: a list, say
        raise InputError(f"task: {short_repr(name)} is unknown; choose from {', '.join(NAMES)}") from None


def dimensions(name: str, seq_len: int | None, lag: int | None) -> Dimensions:
    """Complete `(seq_len, lag)` of task `name` with the task's defaults.

    lag is the number of steps back to the farthest input that an answer needs; None for a task without such a
    number. Raises InputError if the two conflict.
    """
    task = info(name)
    if lag is not None and "lag" not in task.uses:
        raise InputError(f"lag: the task {name!r} has no lag; leave it out")
    for field, value in (("seq_len", seq_len), ("lag", lag)):
        if value is not None and value < 1:
            raise InputError(f"{field}: {value} is out of range; it must be at least 1")
    return task.fill(task, seq_len, lag)


def accepts(name: str, setting: str, value: object) -> None:
    """Raises InputError if the optional `setting` is given (not None) and task `name` does not use it."""
    if value is not None and setting not in info(name).uses:
        if setting == "data" or setting in DECISIONS:
            raise InputError(f"{setting}: only your own data has a use for it; name its file with --data")
        if setting == "source":
            from rnnviz.tasks.own_files import no_use

            raise InputError(f"source: {no_use(name, str(value))}")
        if setting == "carry":
            raise InputError(f"carry: {NO_CARRY}; leave it out")
        users = ", ".join(task.name for task in CATALOG.values() if setting in task.uses)
        raise InputError(f"{setting}: the task {name!r} does not use it (only {users}); leave it out")
