"""What this moment says, in two lines of plain words. Every figure is taken from the frame.

The first line tells what the picture shows, the second what to do next or what follows from it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rnnviz.player.cursor import Phase
from rnnviz.player.loop import STILL_THERE
from rnnviz.player.numbers import factor, fixed, loss, percent, scientific, steps, subscript, visible

if TYPE_CHECKING:
    from rnnviz.player.frame import Frame, Gradient

CELL_RULES = {
    "rnn": "{g}(W_ih·x{t} + W_hh·h{before} + b)",
    "lstm": "o{t} ⊙ tanh(c{t}), with c{t} = f{t} ⊙ c{before} + i{t} ⊙ g{t}",
    "gru": "(1 − z{t}) ⊙ n{t} + z{t} ⊙ h{before}",
}


CLOSE = "x closes the loop again."

ROOM = 78  # cells of a line

ONE_STEP = {
    "rnn": "the activation's slope and W_hh",
    "lstm": "gates and W_hh, or along c through f alone",
    "gru": "gates and W_hh, or through z alone",
}


def tell(frame: Frame) -> tuple[str, str]:
    """Two lines of at most 78 cells."""
    if frame.scene.has_exploded:
        outgrown = "it explodes" if frame.scene.is_finite else "the numbers have outgrown float64"
        return (
            f"The loss is {loss(frame.scene.trace.loss)}: {outgrown}. "
            f"Learning rate {frame.experiment.learning_rate:g}.",
            "E takes one epoch back, A all of them; everything else works as before.",
        )
    match frame.cursor.phase:
        case Phase.FORWARD:
            return _forward(frame)
        case Phase.LOSS:
            return _loss(frame)
        case Phase.BACKWARD:
            return _backward(frame)
        case Phase.UPDATE:
            return _update(frame)


def _forward(frame: Frame) -> tuple[str, str]:
    t, T = frame.cursor.t, frame.T
    if t == 0:
        zeros = "h₀, the memory before anything was read, is all zeros."
        watch = f"Press → and watch one column come into being; there are {T} to read."
        if frame.scene.task.series is not None:
            return zeros, watch
        return _cut_short(frame.scene.said(answered=False) + "."), watch
    if frame.cut:
        still = STILL_THERE[frame.experiment.cell]
        past = f"Past the cut only {still} still runs." if still else "A plain hidden layer: no memory."
        alone = "h goes on through no weight" if still else f"h{subscript(t)} is made of x{subscript(t)} alone"
        return f"The loop is cut, W_hh = 0: {alone}.", f"{past} {CLOSE}"
    rule = CELL_RULES[frame.experiment.cell].format(
        g=frame.experiment.activation, t=subscript(t), before=subscript(t - 1)
    )
    made = f"h{subscript(t)} is made of h{subscript(t - 1)} and x{subscript(t)}: {rule}"
    if t == T:
        return made, "The sequence is read to its end. → compares the outputs with the targets."
    if t in frame.scene.loss_steps and frame.scene.task.loss == "mse":
        error = float(frame.scene.trace.y[t - 1, 0, 0] - frame.scene.target_values[t - 1, 0])
        return made, f"The output is off by {fixed(error)}; the network knows nothing of what comes next."
    return made, _expects(frame) or "→ reads the next step, ← takes this one back."


def _loss(frame: Frame) -> tuple[str, str]:
    k = len(frame.scene.loss_steps)
    value = loss(frame.scene.trace.loss)
    if frame.scene.task.loss == "mse":
        what = f": the mean of (ŷ − target)² over {k} steps" if k > 1 else " = (ŷ − target)² at the last step"
        first = f"loss = {value}{what}."
    else:
        first = _cross_entropy(frame, value, k)
    if frame.scene.task.series is not None:
        return first, "Now ← walks back in time: how much does each hₜ still matter to that error?"
    said, onward = frame.scene.said(answered=True), ". ← walks back in time."
    return first, said + onward if len(said + onward) <= ROOM else _cut_short(said)


def _cross_entropy(frame: Frame, value: str, k: int) -> str:
    if k > 1:
        return f"loss = {value}: the mean of −ln p over {k} steps, p: of the right answer."
    t = frame.scene.last_loss_step
    right = frame.scene.answer(t)
    share = dict(frame.scene.guesses(t))[right]
    return f"loss = {value} = −ln p: the right answer, {right}, has probability p = {percent(share)}."


def _expects(frame: Frame) -> str | None:
    """What the network holds likely after this step, where its outputs are classes."""
    t = frame.cursor.t
    guesses = frame.scene.guesses(t)[:3]
    if not guesses:
        return None
    likely = ", ".join(f"{visible(label)} {percent(share)}" for label, share in guesses)
    if t in frame.scene.loss_steps:
        return f"It says {likely}. Right: {visible(frame.scene.answer(t))}."
    later = [k for k in frame.scene.loss_steps if k > t]
    return f"It says {likely}" + (f"; judged at step {later[0]}." if later else ".")


def _cut_short(text: str) -> str:
    return text if len(text) <= ROOM else text[: ROOM - 1] + "…"


def _backward(frame: Frame) -> tuple[str, str]:
    t, gradient = frame.cursor.t, frame.gradient
    if frame.loss_step is None:
        if len(frame.scene.loss_steps) == 1:
            only = frame.scene.last_loss_step
            return f"Only step {only} carries loss: its gradient is the total.", "← goes on back in time."
        return (
            "The total: every step's own error joins in on the way, so it need not shrink.",
            "t shows the error of the last step alone, and how much of it comes this far.",
        )
    k = frame.loss_step
    if frame.cut and t < k and frame.experiment.cell == "rnn":
        return f"The loop is cut: the error of step {k} ends at h{subscript(k)}; none of it comes back here.", CLOSE
    if t > k:
        return f"The error of step {k} cannot reach step {t}: time runs one way.", "← goes on back in time."
    if t == k:
        return (
            f"The walk starts: the error of step {k} reaches h{subscript(k)} through the readout alone.",
            f"← goes one step back, through {ONE_STEP[frame.experiment.cell]}.",
        )
    start, here = float(gradient.norms[k]), float(gradient.norms[t])
    lag = k - t
    if start == 0 or not math.isfinite(here):
        return f"‖∂L{subscript(k)}/∂h{subscript(t)}‖ is {scientific(here)}.", "← goes on back in time."
    kept = here / start
    mean = kept ** (1 / lag) if kept > 0 else 0.0
    many = f"{lag} step{'s' * (lag > 1)} back"
    left = f"{100 * kept:.2g} %" if kept < 9.995 else f"{kept:.2g} times"
    first = f"{many}, {left} of it is left: each step {_keeps(mean)} {factor(mean)} of it on average."
    if len(first) > ROOM:
        first = first.replace(" on average", "")
    if gradient.highway is not None:
        return _two_paths(gradient, lag, left, many)
    if gradient.half_life is not None:
        second = f"Half is gone after {gradient.half_life:.1f} steps"
        if gradient.horizon is not None:
            second += f", all but 1 % after {gradient.horizon:.1f}: that far it can learn"
        return first, second + "."
    if t == 0:
        return first, "enter makes the update: one step against the gradient of a batch."
    return first, "More than half of it is still there. ← goes on back in time."


def _two_paths(gradient: Gradient, lag: int, left: str, many: str) -> tuple[str, str]:
    """How the gradient fares on the highway beside the way through h."""
    lane = gradient.highway
    assert lane is not None
    k = gradient.loss_step or 0
    start, here = float(lane.norms[k]), float(lane.norms[k - lag])
    with_lane = here / start if start > 0 else math.nan
    through = f"{100 * with_lane:.2g} %" if with_lane < 9.995 else f"{with_lane:.2g} times"
    where = {"c": "in c", "z": "along z"}[lane.along]
    mean = with_lane ** (1 / lag) if with_lane > 0 else 0.0
    kept = f"{lane.along} {_keeps(mean)} {factor(mean)} a step"
    first = f"{many}: {left} left in h, {through} {where}"
    first += f"; {kept}." if len(first) + len(kept) + 3 <= ROOM else "."
    halves = f"{steps(gradient.half_life, k)} and {steps(lane.half_life, k)}"
    ends = f"{steps(gradient.horizon, k)} and {steps(lane.horizon, k)}"
    return first, f"Half is gone after {halves} steps, all but 1 % after {ends}."


def _keeps(mean: float) -> str:
    return "keeps" if mean <= 1 else "makes"


def _update(frame: Frame) -> tuple[str, str]:
    update = frame.update
    if update is None:
        return "update: W ← W − step", "enter goes on to the next batch."
    name, size, step = max(update.rows, key=lambda row: row[2] if math.isfinite(row[2]) else -1.0)
    rule = {"sgd": f"W ← W − {frame.experiment.learning_rate:g}·∂L/∂W"}.get(
        frame.experiment.optimizer, f"{frame.experiment.optimizer}, step size {frame.experiment.learning_rate:g}"
    )
    short = name.removeprefix("rnn.")
    return (
        f"update: {rule}, over one batch. {short} moves most: {scientific(step)} of {size:.2f}.",
        f"Loss of this sequence {loss(update.loss_before)} → {loss(update.loss_after)}. enter: next batch.",
    )
