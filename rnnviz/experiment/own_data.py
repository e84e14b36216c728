"""An experiment's own data: the decisions about it among the settings, and what they and the file amount to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnviz.errors import InputError
from rnnviz.experiment.experiment import Experiment
from rnnviz.tasks.catalog import MOST_LABELLED
from rnnviz.tasks.own.decisions import NAMES, Decisions

if TYPE_CHECKING:
    from rnnviz.tasks.own.content import Content


def decisions(experiment: Experiment) -> Decisions:
    return Decisions(**{name: getattr(experiment, name) for name in NAMES})


def content(experiment: Experiment) -> Content:
    """What the task learns. Raises InputError for data that the task cannot learn."""
    from rnnviz.tasks.own import read

    if experiment.data is None:
        raise InputError(f"data: the task {experiment.task!r} learns your own data; name its file with --data")
    found = read(experiment.data, decisions(experiment))
    if found.content is None or found.task != experiment.task:
        raise InputError(f"task: {found.name} is for the task {found.task!r}; leave --task out")
    return found.content


def steps(experiment: Experiment) -> int:
    """The sequence length, also where it is open."""
    return content(experiment).steps() if experiment.seq_len is None else experiment.seq_len


def loss_at(experiment: Experiment) -> str:
    """The steps that carry loss, where they are open: every one, if the data has an answer for each, or state is
    carried."""
    from rnnviz.tasks.own.content import SequencesContent

    found = content(experiment)
    answers = 2 if isinstance(found, SequencesContent) and found.classes else 3
    if experiment.carry and not isinstance(found, SequencesContent):
        return "every"
    return "every" if isinstance(found, SequencesContent) and found.y.ndim == answers else "last"


def sequences(experiment: Experiment) -> int:
    """The number of sequences; of those with a missing value none is left out."""
    found, T = content(experiment), steps(experiment)
    every = found.windows(T)
    if experiment.carry:
        return -(-every // T)  # end to end
    return min(every, experiment.samples or MOST_LABELLED) if experiment.task == "labelled" else every
