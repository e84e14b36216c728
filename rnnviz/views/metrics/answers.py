"""Metrics of the answers: how many are right, and how good the sine is."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from rnnviz.views.metrics.registry import if_unknown, left_out_needs, metric, outcome, prepared

if TYPE_CHECKING:
    from rnnviz.scene.frame import Frame
    from rnnviz.scene.scene import Scene
    from rnnviz.tasks import Task

# how good it is
metric("accuracy", "share of right answers on the validation sequences", ".0%", needs=if_unknown("outcome"),
        low=0, high=1)(
    lambda f: outcome(f, "accuracy")
)  # fmt: skip

metric("judged", "number of validation sequences that accuracy counts", "d", low=1)(
    lambda f: _judged(f.scene) if f.scene.task.has_targets else None
)

metric("accuracy_error", "standard error of accuracy, √(p(1 − p)/judged); one answer per sequence only", ".0%",
        needs=if_unknown("outcome"), low=0, high=0.5)(
    lambda f: _accuracy_error(f)
)  # fmt: skip


def _accuracy_error(frame: Frame) -> float | None:
    right = outcome(frame, "accuracy")
    if right is None or len(frame.scene.loss_steps) > 1:  # the answers to one sequence are not independent
        return None
    return _standard_error(right, _judged(frame.scene))


def _standard_error(share: float, count: int) -> float:
    return math.sqrt(share * (1 - share) / count)


metric("tested", "number of test names: those that the setting samples leaves out", "d",
        needs=left_out_needs, low=1)(
    lambda f: None if (found := prepared(f, "left_out")) is None else found.count
)  # fmt: skip

metric("test_accuracy", "share of right answers on the test names", ".0%", needs=left_out_needs, low=0, high=1)(
    lambda f: None if (found := prepared(f, "left_out")) is None else found.right
)

metric("test_accuracy_percent", "test_accuracy in percent", ".0f", needs=left_out_needs, low=0, high=100)(
    lambda f: None if (found := prepared(f, "left_out")) is None else 100 * found.right
)

metric("test_error", "standard error of test_accuracy", ".0%", needs=left_out_needs, low=0, high=0.5)(
    lambda f: None if (found := prepared(f, "left_out")) is None else _standard_error(found.right, found.count)
)


def _judged(scene: Scene) -> int:
    from rnnviz.experiment.evaluate import evaluation_count  # not above: it needs NumPy, and the first paint none of it

    return evaluation_count(scene.task)


metric("fit_error", "root mean square error of the series, one step ahead", ".3f", needs=if_unknown("outcome"), low=0)(
    lambda f: _rms(outcome(f, "fit"), f.scene.task, 0)
)

metric(
    "self_fed_error", "root mean square error of the series fed by itself", ".3f", needs=if_unknown("outcome"), low=0
)(lambda f: _rms(outcome(f, "prediction"), f.scene.task, f.scene.task.fed_from))


def _rms(predicted: Any, task: Task, sequence: int) -> float | None:
    """predicted: from the last target of this sequence on. A point that no window predicts does not count."""
    if predicted is None or task.series is None or task.ends is None or not len(predicted):
        return None
    ends = task.ends[sequence:] - task.ends[sequence]
    ends = ends[ends < len(predicted)]
    square = (predicted[ends] - task.series[task.ends[sequence] :][ends]) ** 2
    return float(square.mean()) ** 0.5 if bool((square == square).all()) else math.inf
