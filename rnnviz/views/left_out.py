"""How well the network answers to the names that it neither trained nor validated with: those that the setting samples
leaves out."""

from __future__ import annotations

from dataclasses import dataclass

from rnnviz.experiment.build import build_task, resolved
from rnnviz.experiment.evaluate import answers
from rnnviz.experiment.experiment import Experiment
from rnnviz.scene.scene import Scene


@dataclass(frozen=True)
class LeftOut:
    """right: share of right answers, over so many names."""

    right: float
    count: int


def left_out(scene: Scene, experiment: Experiment) -> LeftOut | None:
    """None where nothing is left out. Slow: every name is read. (The task shuffles first, then takes its samples.)"""
    used, every = len(scene.task), build_task(resolved(experiment.with_(samples=None)))
    if used == len(every):
        return None
    said, true = answers(scene.model, every, slice(used, None))
    count = len(every) - used
    return LeftOut(sum(a == b for a, b in zip(said, true, strict=True)) / count, count)
