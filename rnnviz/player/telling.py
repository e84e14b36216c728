"""What this moment says, in two lines of plain words. Every figure is taken from the frame.

The first line tells what the picture shows, the second what to do next or what follows from it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rnnviz.player.cursor import Phase
from rnnviz.player.loop import STILL_THERE
from rnnviz.player.numbers import factor, fixed, loss, scientific, subscript

if TYPE_CHECKING:
    from rnnviz.player.frame import Frame

CELL_RULES = {
    "rnn": "{g}(W_ih·x{t} + W_hh·h{before} + b)",
    "lstm": "o{t} ⊙ tanh(c{t}), with c{t} = f{t} ⊙ c{before} + i{t} ⊙ g{t}",
    "gru": "(1 − z{t}) ⊙ n{t} + z{t} ⊙ h{before}",
}


CLOSE = "x closes the loop again."


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
        return (
            "h₀, the memory before anything was read, is all zeros.",
            f"Press → and watch one column come into being; there are {T} to read.",
        )
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
    return made, "→ reads the next step, ← takes this one back."


def _loss(frame: Frame) -> tuple[str, str]:
    k = len(frame.scene.loss_steps)
    value = loss(frame.scene.trace.loss)
    if frame.scene.task.loss == "mse":
        first = f"loss = {value}: the mean of (ŷ − target)² over {k} step{'s' * (k > 1)}."
    else:
        first = f"loss = {value}: minus the log of the right answer's probability."
    return first, "Now ← walks back in time: how much does each hₜ still matter to that error?"


def _backward(frame: Frame) -> tuple[str, str]:
    t, gradient = frame.cursor.t, frame.gradient
    if frame.loss_step is None:
        return (
            "The total: at every step that step's own error joins in, so it need not shrink.",
            "t shows the error of the last step alone, and how much of it comes this far.",
        )
    k = frame.loss_step
    if frame.cut and t < k and frame.experiment.cell == "rnn":
        return f"The loop is cut: the error of step {k} ends at h{subscript(k)}; none of it comes back here.", CLOSE
    if t > k:
        return f"The error of step {k} cannot reach step {t}: time runs one way.", "← goes on back in time."
    if t == k:
        return (
            f"Here the walk starts: the error of step {k} reaches h{subscript(k)} through the readout alone.",
            "← goes one step back in time, through the activation's slope and W_hh.",
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
    if gradient.half_life is not None:
        second = f"Half is gone after {gradient.half_life:.1f} steps"
        if gradient.horizon is not None:
            second += f", all but 1 % after {gradient.horizon:.1f}: so far back it can learn"
        return first, second + "."
    if t == 0:
        return first, "enter makes the update: one step against the gradient of a batch."
    return first, "More than half of it is still there. ← goes on back in time."


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
