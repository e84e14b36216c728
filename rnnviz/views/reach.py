"""Reach: what is measured about the way from the last loss step back to the step its answer depends on.

    arrives   how much of the gradient is left at the step the answer depends on
    share     what part of the weights' gradient comes from that step, against what the last step sends
    answers   whether the task is learnt: by the answers, and by nothing else

It predicts nothing. A short reach does not say that a network cannot learn: Adam scales a gradient of 1e-5 up, and a
state latched in an attractor remembers because small changes die out, so that its gradient vanishes (Bengio, Simard
and Frasconi 1994). A long one does not say that it will. benchmarks/predictor.py has the record: of 612 networks,
66 % learnt with a horizon as long as the lag, and 36 % with a shorter one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rnnviz.experiment.build import trace_of
from rnnviz.experiment.evaluate import accuracy, error, evaluation_count, evaluation_slice
from rnnviz.experiment.experiment import Experiment
from rnnviz.nn import Model, Trace
from rnnviz.scene.commands import Measure
from rnnviz.scene.frame import Frame
from rnnviz.scene.gradient import Gradient
from rnnviz.scene.scene import Scene
from rnnviz.tasks import Task
from rnnviz.views.gradient import gradient_of
from rnnviz.views.prepare import prepare, read
from rnnviz.views.zero_gradients import Zero, zero_at

#: A gradient this many times larger than it set out has exploded.
EXPLODES = 1e3
#: From this share of right answers on a task counts as learnt; of a task whose answers are numbers, from an error of
#: this part of a constant answer's on.
LEARNT, LEARNT_ERROR = 0.9, 0.1
#: A learnt task's mistakes are at most this part of those a constant answer makes (where most answers are blanks).
MISTAKES = 0.2
#: Right on fewer sequences than this may be luck.
ENOUGH = 10


@dataclass(frozen=True)
class Answers:
    """What the network answers to the sequences it is judged by.

    sequences  how many those are
    count      how many answers those hold, where they are classes: one for each step that is judged
    right      share of right answers; None where answers are numbers
    constant   the share that the best constant answer gets right
    error      mean squared error, where answers are numbers; baseline: that of the best constant answer
    """

    sequences: int
    right: float | None = None
    constant: float | None = None
    error: float | None = None
    baseline: float | None = None
    count: int | None = None

    @property
    def learnt(self) -> bool | None:
        """None: too few sequences to tell."""
        if self.sequences < ENOUGH:
            return None
        if self.right is not None:
            return self.right >= LEARNT and 1 - self.right <= MISTAKES * (1 - (self.constant or 0.0))
        if self.error is not None and self.baseline:
            return self.error <= LEARNT_ERROR * self.baseline
        return None


@dataclass(frozen=True)
class Reach:
    """The way of one sequence's last loss back to what its answer depends on.

    loss_step   k, the last step that carries loss
    step        the earliest step whose input the answer at k depends on; lag = k - step
    start       ‖∂L_k/∂h_k‖: the gradient as it sets out
    arrives     ‖∂L_k/∂h_step‖ / ‖∂L_k/∂h_k‖; nan if the gradient at k is 0 or not finite, or at `step` nan
    along       "h"; "c" where more arrives in an LSTM's cell state, and is meant
    share       ‖G_step‖ / Σ_t ‖G_t‖, t = 1..k: G_t is what the recurrent weights (W_ih, W_hh and biases of all layers)
                get from being used at step t, of the gradient of L_k. 1/k is an even share. None if no number
    near        the same of step k itself
    horizon     lag at which 1 % is left, along `along`; None: more is left after all k steps there are
    first_used  the first step that the weight update hears of: 1, or later with truncated back-propagation
    answers     None while they are not known
    zero        why the gradient is exactly 0 at `step`, where it is (at k already, if `start` is)
    is_later    the way goes forward in time: that of the backward direction of a bidirectional layer
    layers      of the network: the gradient is that of the top one's state
    """

    loss_step: int
    step: int
    start: float
    arrives: float
    along: str
    share: float | None
    near: float | None
    horizon: float | None
    first_used: int = 1
    answers: Answers | None = None
    zero: Zero | None = None
    layers: int = 1
    is_later: bool = False

    @property
    def lag(self) -> int:
        return self.loss_step - self.step

    @property
    def is_truncated(self) -> bool:
        return self.first_used > 1

    @property
    def learnt(self) -> bool | None:
        """None where that is not known, or too few sequences tell."""
        return None if self.answers is None else self.answers.learnt


def reach(scene: Scene, truncation: tuple[int, int] | None = None) -> Reach | None:
    """None where the task does not say what its answer depends on. truncation: (k1, k2) of the training."""
    k = scene.last_loss_step
    needed = scene.needs(k) if scene.task.lag is not None else ()
    if not needed:
        return None
    step = min(needed)
    best = farthest(scene.gradient(k), k, step)
    first = first_used(k, truncation, scene.task.seq_len)
    shares = _shares(scene, first)
    return Reach(
        loss_step=k,
        step=step,
        start=float(best.norms[k]),
        arrives=left(best, k, step),
        along=best.along,
        share=None if shares is None else float(shares[step - 1]),
        near=None if shares is None else float(shares[k - 1]),
        horizon=best.horizon,
        first_used=first,
        answers=answers(scene),
        zero=zero_at(scene, k, k if best.norms[k] == 0 else step, best.along),
        layers=scene.trace.L,
        is_later=scene.reads_back,
    )


def of_frame(frame: Frame) -> Reach | None:
    """How far the gradient reaches, and whether the task is learnt; None where the task's lag is not known."""
    return reach(frame.scene, frame.truncation)


def reach_of(trace: Trace, task: Task, sample: int, experiment: Experiment) -> Reach | None:
    """The same without a player: of the sequence that was traced, its answers counted however long that takes."""
    if task.lag is None:
        return None
    whole = trace if trace.whole is None else trace.whole
    scene = prepare(read(task, sample, Model(whole.spec, dict(whole.params)), trace), Measure("outcome"))
    return reach(scene, experiment.truncation())


def horizon_of(model: Model, task: Task, sample: int = 0) -> tuple[float, float]:
    """(horizon, factor) of one sequence's last loss, without the rest of its reach: the lag at which 1 % of the
    gradient is left (inf: more is left after all steps; nan: not known), and what a step back keeps of it, the mean
    over its way to what the answer depends on (to step 1 where that is not known)."""
    trace = trace_of(model, task, sample)
    k = trace.loss_steps[-1]
    needed = task.needs(sample, k) if task.lag is not None else ()
    step = min(needed, default=1)
    best = farthest(gradient_of(trace, k), k, step)
    horizon = best.horizon if best.horizon is not None else math.inf if best.fades else math.nan
    factor = left(best, k, step) ** (1 / (k - step)) if k > step else math.nan
    return horizon, factor


def farthest(gradient: Gradient, k: int, step: int) -> Gradient:
    """The row of which more arrives at `step`: that on h, or on c of an LSTM."""
    paths = [gradient]
    if gradient.highway is not None and gradient.highway.along == "c":
        paths.append(gradient.highway)
    # The first of equals, so that c is named only where more arrives there.
    return max(paths, key=lambda path: _or(left(path, k, step), -1.0))


def left(gradient: Gradient, k: int, t: int) -> float:
    """norms[t] / norms[k]; nan where the gradient at k is 0, inf or nan, or nan at t."""
    start, there = float(gradient.norms[k]), float(gradient.norms[t])
    return there / start if start > 0 and math.isfinite(start) else math.nan


def first_used(k: int, truncation: tuple[int, int] | None, T: int) -> int:
    """The first step whose use of the weights the error of step k is walked back to, as in
    numpy_engine.truncated_backward: its part of k1 steps ends at `stop`, and k2 steps before that the walk ends."""
    if truncation is None:
        return 1
    k1, k2 = truncation
    stop = min((k - 1) // k1 * k1 + k1, T)
    return min(k, max(stop - k2, 0) + 1)


def answers(scene: Scene) -> Answers | None:
    """None while they are not known."""
    task, outcome = scene.task.original or scene.task, scene.outcome
    return None if outcome is None else _judged(task, outcome.accuracy, outcome.error)


def answers_of(model: Model, task: Task) -> Answers | None:
    """The same without a scene: what a model answers to the sequences it is judged by."""
    task = task.original or task
    return _judged(task, accuracy(model, task), error(model, task))


def _judged(task: Task, right: float | None, error: float | None) -> Answers | None:
    count = evaluation_count(task)
    if task.loss == "cross_entropy":
        of = int(task.loss_mask[evaluation_slice(task)].sum())
        return None if right is None else Answers(count, right=right, constant=constant(task), count=of)
    return None if error is None else Answers(count, error=error, baseline=task.baseline)


def constant(task: Task) -> float:
    """The share of right answers of the best constant answer, over the sequences that are judged."""
    which = evaluation_slice(task)
    _, counts = np.unique(task.targets[which][task.loss_mask[which]], return_counts=True)
    return float(counts.max() / counts.sum())


def _shares(scene: Scene, first: int) -> np.ndarray | None:
    """(k,): what each step sends of the weights' gradient, as shares of 1; steps before `first` send nothing. None
    if they are no numbers."""
    sent = np.array(scene.known[Measure("sent")])
    sent[: first - 1] = 0.0
    with np.errstate(all="ignore"):
        shares = sent / sent.max(initial=0.0)
        shares /= shares.sum()
    return shares if np.isfinite(shares).all() else None


def _or(value: float, instead: float) -> float:
    return instead if math.isnan(value) else value
